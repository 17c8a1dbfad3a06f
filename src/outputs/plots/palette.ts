/**
 * The colours of Okabe and Ito (2008), told apart with every common form of colour blindness, and what each means here.
 *
 * @module
 */
import type { Severity } from '../../detectors/detector.ts'

export const BLUE = '#0072B2'
export const GREEN = '#009E73'
export const PURPLE = '#AA4A83'
const VERMILLION = '#D55E00'
const ORANGE = '#E69F00'
const SKY = '#56B4E9'

export const INK = '#1F2328'
export const MUTED = '#57606A'
export const GRID = '#E6E8EB'
export const AXIS = '#8C959F'
export const PAPER = '#FFFFFF'
/** Beside the data: what is known only for judging afterwards. */
export const BESIDE = '#857227'
/** Several runs in one panel, in their order. */
export const RUN_COLOURS = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, BESIDE] as const
export const SUPERSEDED = '#7A828C'

export const TREND = INK
export const THRESHOLD = VERMILLION
export const NOT_FINITE = INK
export const STOP = INK
export const ROLL_BACK = GREEN

/** Lines and symbols of an alert. */
export const SEVERITY_COLOUR: Readonly<Record<Severity, string>> = { info: SKY, warning: ORANGE, critical: VERMILLION }
/** The same hues, dark enough for text on white (at least 4.5 to 1). */
export const SEVERITY_TEXT: Readonly<Record<Severity, string>> = {
  info: '#1B6A99',
  warning: '#8A5A00',
  critical: '#B04A00',
}
