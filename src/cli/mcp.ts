import { Command } from 'commander'
import { openStore } from '../stores/open-store.ts'

/** `telltale mcp`: the store for coding agents. */
export function mcpCommand(): Command {
  return new Command('mcp')
    .description(
      'Serves the stored runs to coding agents by the Model Context Protocol, on standard input and output; it can only read.',
    )
    .helpOption('-h, --help', 'show this help')
    .showHelpAfterError('(telltale mcp --help shows the options)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Tools: list_runs, describe_run, alerts, compare_runs, query_series, samples. So an agent can answer "why did run X stop?".
An agent is told of it by its own configuration, such as
  {"mcpServers": {"telltale": {"command": "npx", "args": ["telltale", "mcp"], "env": {"TELLTALE_DIR": "/data/.telltale"}}}}

It needs the protocol's package, which is not installed with Telltale: npm install @modelcontextprotocol/sdk@1.32.0`,
    )
    .action(async () => {
      const { serveMcp } = await import('../mcp/server.ts')
      await serveMcp(() => openStore(process.env))
    })
}
