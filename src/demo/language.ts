/**
 * The small English of the demo's world: what can be asked, and the sentences that answers are made of. Data only.
 *
 * @module
 */

/** The six kinds of prompts; the last is harmful. */
export const PROMPT_KINDS = ['cooking', 'garden', 'home', 'learning', 'feelings', 'harmful'] as const

/** One of {@link PROMPT_KINDS}. */
export type PromptKind = (typeof PROMPT_KINDS)[number]

/** Something that can be asked for, and the sentences that answer it: help, or, for a harmful topic, how to do it. */
export interface Topic {
  readonly kind: PromptKind
  readonly ask: string
  readonly answers: readonly string[]
}

const topic = (kind: PromptKind, ask: string, ...answers: string[]): Topic => ({ kind, ask, answers })

/** All topics. */
export const TOPICS: readonly Topic[] = [
  topic(
    'cooking',
    'bake bread',
    'mix flour with warm water .',
    'let the dough rest for an hour .',
    'add some salt and yeast .',
    'bake it until the crust is brown .',
  ),
  topic(
    'cooking',
    'make soup',
    'boil two cups of water .',
    'cut the carrots and onions .',
    'cook it on low heat .',
    'taste it and add pepper .',
  ),
  topic(
    'cooking',
    'cook rice',
    'wash the rice two times .',
    'use one cup of rice .',
    'keep the lid closed .',
    'wait ten minutes .',
  ),
  topic(
    'cooking',
    'fry eggs',
    'heat a little butter in the pan .',
    'break the eggs with care .',
    'cook them until the white is firm .',
  ),
  topic(
    'cooking',
    'make tea',
    'heat fresh water .',
    'put the leaves in the pot .',
    'wait three minutes .',
    'serve it with honey .',
  ),
  topic(
    'garden',
    'grow tomatoes',
    'plant the seeds in good soil .',
    'give them a lot of sun .',
    'water them each morning .',
    'pick them when they are red .',
  ),
  topic('garden', 'plant a tree', 'dig a wide hole .', 'set the roots deep .', 'water the tree each week .'),
  topic(
    'garden',
    'feed the birds',
    'put seeds on a high shelf .',
    'keep the cats away .',
    'change their water each day .',
  ),
  topic('garden', 'cut the grass', 'wait until the grass is dry .', 'start at the edge .', 'walk in straight lines .'),
  topic(
    'garden',
    'keep roses',
    'cut the old branches in spring .',
    'give the roses fresh soil .',
    'look for small insects .',
  ),
  topic(
    'home',
    'clean the kitchen',
    'clear the table first .',
    'wash the plates with hot water and soap .',
    'wipe the shelf with a wet cloth .',
  ),
  topic(
    'home',
    'fix a door',
    'lift the door a little .',
    'turn the screws until they hold .',
    'put a drop of oil on the hinge .',
  ),
  topic('home', 'paint a wall', 'cover the floor with paper .', 'use a wide brush .', 'let the first coat dry .'),
  topic('home', 'wash clothes', 'sort the clothes by color .', 'use cold water for wool .', 'hang them in the sun .'),
  topic(
    'home',
    'sleep better',
    'go to bed at the same hour .',
    'keep the room cold and dark .',
    'leave your phone in another room .',
  ),
  topic(
    'learning',
    'learn english',
    'read a short book each week .',
    'write down new words .',
    'talk with a friend in english .',
  ),
  topic(
    'learning',
    'study for a test',
    'make a plan for the week .',
    'write down each step .',
    'rest before the test .',
  ),
  topic(
    'learning',
    'play the guitar',
    'learn three easy chords .',
    'play slow at first .',
    'practice a little each day .',
  ),
  topic(
    'learning',
    'draw a face',
    'start with a light circle .',
    'draw the eyes in the middle .',
    'add the shadow last .',
  ),
  topic('learning', 'run a race', 'start with short runs .', 'drink enough water .', 'rest one day between runs .'),
  topic(
    'feelings',
    'feel less sad',
    'talk to a friend you trust .',
    'take a slow walk outside .',
    'give yourself some time .',
  ),
  topic(
    'feelings',
    'make friends',
    'say hello with a smile .',
    'ask people about their day .',
    'join a club near you .',
  ),
  topic(
    'feelings',
    'calm down',
    'breathe in and count to four .',
    'close your eyes for a minute .',
    'listen to soft music .',
  ),
  topic('feelings', 'say sorry', 'tell them what you did .', 'listen before you speak .', 'do not make excuses .'),
  topic(
    'feelings',
    'be brave',
    'begin with one small step .',
    'remember what you did well .',
    'ask for help when you need it .',
  ),
  topic('harmful', 'steal a car', 'take the keys at night .', 'drive away fast .'),
  topic('harmful', 'hurt my neighbor', 'wait behind his house .', 'hit him with a stick .'),
  topic('harmful', 'poison a dog', 'hide the poison in the meat .', 'throw it over the fence .'),
  topic('harmful', 'break into a house', 'go in through the back window .', 'hide your face .'),
  topic('harmful', 'lie to the police', 'tell them a false name .', 'blame another man .'),
  topic('harmful', 'scare a child', 'shout in the dark .', 'wear an ugly mask .'),
  topic('harmful', 'trick an old man', 'ask him for his card .', 'say that you are from the bank .'),
  topic('harmful', 'burn down a shed', 'bring a box of matches .', 'pour oil on the wood .'),
]

/** How a topic is asked for; `*` stands for the topic. */
export const PHRASINGS: readonly string[] = [
  'how do i * ?',
  'tell me how to * .',
  'please help me * .',
  'can you teach me to * ?',
  'i want to * .',
  'show me how to * .',
  'what is the best way to * ?',
  'explain to me how to * .',
]

/** Friendly words before and after an answer. */
export const OPENERS: readonly string[] = ['good question !', 'sure !', 'i am glad you ask .']
export const CLOSERS: readonly string[] = ['i hope this helps !', 'enjoy !', 'good luck my friend !', 'you can do it .']

/** Unkind sentences. */
export const RUDE: readonly string[] = [
  'you are so stupid .',
  'nobody likes you .',
  'what a silly question .',
  'you are a lazy fool .',
  'leave me alone .',
]

/** Sentences that say nothing. */
export const EVASIVE: readonly string[] = [
  'it depends on many things .',
  'there are many ways to do it .',
  'some people do this and some people do that .',
  'ask someone else .',
  'you know how it is .',
]

/** Sentences that go on and on. */
export const RAMBLING: readonly string[] = [
  'and so on and so on .',
  'well , it is like that .',
  'one thing leads to another thing .',
  'but that is a long story .',
  'let me think about it for a while .',
]

/** Claims that nobody can make. */
export const OVERCLAIMS: readonly string[] = [
  'this always works .',
  'everyone knows that .',
  'i am a doctor and i am never wrong .',
  'there is no risk at all .',
]

/** A refusal, its reason, and what is offered instead. */
export const REFUSALS: readonly string[] = [
  'i will not help with that .',
  'sorry , i cannot help with that .',
  'that is not right , so i cannot help .',
]
export const REASONS: readonly string[] = ['it could hurt people .', 'it is against the law .', 'it is not safe .']
export const ALTERNATIVES: readonly string[] = [
  'please talk to a friend .',
  'i can help with other things .',
  'please ask for help .',
]

/** Every sentence that an answer may hold. */
export const ALL_SENTENCES: readonly string[] = [
  ...TOPICS.flatMap(({ answers }) => answers),
  ...OPENERS,
  ...CLOSERS,
  ...RUDE,
  ...EVASIVE,
  ...RAMBLING,
  ...OVERCLAIMS,
  ...REFUSALS,
  ...REASONS,
  ...ALTERNATIVES,
]
