// docs/configuration.md, from the JSON schema of the configuration (npm run docs); src/config/config.test.ts holds the two together.

/** @param {object} schema what `configJsonSchema()` gives. */
export function configurationMarkdown(schema) {
  const keys = Object.entries(schema.properties).filter(([key]) => key !== '$schema')
  return [
    '# The configuration, key by key',
    '*Made by `npm run docs` from the schema: change it there.*',
    `\`telltale.config.json\` in the folder in which Telltale is started, or a file that \`--config FILE\` names, says what would else be said by flags at every start. \`watch\` and \`run\` heed
all of it, \`check\` how runs are judged and what is muted, \`notify\` the webhooks. Flags win. [Be called when something goes wrong](guide/be-called.md) has examples; for an editor there
is [telltale.config.schema.json](../telltale.config.schema.json), which a file names as \`"$schema": "./node_modules/telltale/telltale.config.schema.json"\`.`,
    `Keys: ${keys.map(([key]) => `[\`${key}\`](#${key.toLowerCase()})`).join(', ')}. Any other is an error that says which was meant.`,
    ...keys.flatMap(([key, one]) => section(key, one, '##', schema.required?.includes(key) ?? false)),
  ]
    .join('\n\n')
    .concat('\n')
}

function section(key, schema, mark, required) {
  const { description = '', items } = schema
  const flag = /^As (--[a-z-]+)/.exec(description)?.[1]
  const words = description.replace(/^As --[a-z-]+: ?/, '')
  const facts = [
    `Type: ${typeWords(schema)}`,
    `Default: ${schema.default !== undefined ? `\`${JSON.stringify(schema.default)}\`` : required ? 'none, it has to be there' : 'none'}`,
    `Flag: ${flag ? `\`${flag}\`` : 'none'}`,
  ]
  const inner = items?.properties ?? {}
  return [
    `${mark} \`${key}\``,
    `${words.charAt(0).toUpperCase()}${words.slice(1)}`.replace(/(?<![`\w-])--[a-z-]+/g, '`$&`'),
    facts.map((fact) => `- ${fact}`).join('\n'),
    ...Object.entries(inner).flatMap(([name, one]) =>
      section(`${key}[].${name}`, one, `${mark}#`, items.required?.includes(name) ?? false),
    ),
  ]
}

/** A type in words: what may stand there, with its bounds. */
function typeWords(schema) {
  if (schema.enum)
    return schema.enum
      .map((choice) => `\`${JSON.stringify(choice)}\``)
      .join(', ')
      .replace(/, (?=[^,]*$)/, ' or ')
  switch (schema.type) {
    case 'array':
      return `list of ${schema.items.type === 'object' ? 'objects with the keys below' : `any of ${typeWords(schema.items).replace(/ or (?=[^ ]*$)/, ' and ')}`}${schema.maxItems === undefined ? '' : `, at most ${schema.maxItems}`}`
    case 'object':
      return 'object of names, each with a text'
    case 'number':
      return ['number', bound('above', schema.exclusiveMinimum), bound('at most', schema.maximum)]
        .filter(Boolean)
        .join(', ')
    case 'string':
      return schema.pattern ? 'text: letters, digits and underscores' : 'text'
    case 'boolean':
      return '`true` or `false`'
    default:
      throw new Error(`no words for the type ${schema.type}`)
  }
}

function bound(words, value) {
  return value === undefined ? '' : `${words} ${value}`
}
