import { expect, it } from 'vitest'
import { formatChange, formatDuration, formatNumber, formatQuantity, formatTime, listed, plural } from './format.ts'

it.each([
  [0, '0'],
  [-0, '0'],
  [1, '1'],
  [0.30857, '0.3086'],
  [12345.678, '12,346'],
  [1234567, '1,234,567'],
  [-1234, '-1,234'],
  [2_500_000.5, '2.5e6'],
  [0.000012, '1.2e-5'],
  [0.1, '0.1'],
  [100, '100'],
  [9.99999, '10'],
  [1e21, '1e21'],
  [Number.NaN, 'NaN'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
])('writes %d as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text)
})

it.each([
  [0, '0.0 s'],
  [12_340, '12.3 s'],
  [59_949, '59.9 s'],
  [59_999, '1 min 00 s'],
  [245_000, '4 min 05 s'],
  [3_599_800, '1 h 00 min'],
  [3_840_000, '1 h 04 min'],
  [86_399_999, '1 d 00 h'],
  [180_000_000, '2 d 02 h'],
  [Number.NaN, 'unknown'],
  [-1, 'unknown'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

it('writes times, quantities, changes and lists', () => {
  expect(formatTime(1_767_622_000)).toBe('2026-01-05 14:06:40 UTC')
  expect(formatTime(1e300)).toBe('unknown')
  expect(formatQuantity(0.0812, 'fraction')).toBe('8.12 %')
  expect(formatQuantity(3, 'nats/token')).toBe('3 nats/token')
  expect(formatQuantity(0.5, 'reward')).toBe('0.5')
  expect(formatChange(0.25)).toBe('+0.25')
  expect(formatChange(-2)).toBe('-2')
  expect(listed(['a', 'b', 'c'])).toBe('a, b and c')
  expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more')
  expect(listed([])).toBe('')
  expect(plural(1, 'iteration')).toBe('1 iteration')
  expect(plural(1200, 'iteration')).toBe('1,200 iterations')
})
