/** A real terminal emulator behind a stream, so that tests see what a person would. */
import { EventEmitter } from 'node:events'
import xterm from '@xterm/headless'
import type { TerminalStream } from './terminal-traits.ts'

export type Emulator = Awaited<ReturnType<typeof createEmulator>>

/** An emulator of `columns` by `rows`; as a tty does, it makes a line break of a line feed. */
export function createEmulator(columns: number, rows: number) {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    convertEol: true,
    scrollback: 5000,
    allowProposedApi: true,
  })
  const events = new EventEmitter()
  let written = ''
  const stream = {
    isTTY: true,
    columns,
    rows,
    write(text: string) {
      written += text
      terminal.write(text)
      return true
    },
    on: (event: string, listener: () => void) => void events.on(event, listener),
    off: (event: string, listener: () => void) => void events.off(event, listener),
  } satisfies TerminalStream
  const lines = async (from: (baseY: number) => number): Promise<string[]> => {
    await new Promise<void>((resolve) => terminal.write('', resolve))
    const buffer = terminal.buffer.active
    const texts: string[] = []
    for (let y = from(buffer.baseY); y < buffer.baseY + terminal.rows; y++) {
      texts.push(buffer.getLine(y)?.translateToString(true) ?? '')
    }
    return texts
  }
  return {
    stream,
    events,
    /** Everything written since the last call. */
    takeWritten(): string {
      const text = written
      written = ''
      return text
    },
    /** Lines on the screen, without spaces at their ends. */
    screen: () => lines((baseY) => baseY),
    /** The same with what was scrolled away, without the empty lines at the end. */
    async everything(): Promise<string[]> {
      const all = await lines(() => 0)
      while (all.at(-1) === '') all.pop()
      return all
    },
    async cursor(): Promise<{ readonly x: number; readonly y: number }> {
      await new Promise<void>((resolve) => terminal.write('', resolve))
      return { x: terminal.buffer.active.cursorX, y: terminal.buffer.active.cursorY }
    },
    resize(newColumns: number, newRows: number): void {
      terminal.resize(newColumns, newRows)
      stream.columns = newColumns
      stream.rows = newRows
      events.emit('resize')
    },
  }
}

/** Whether the cursor is hidden after these writes. */
export function leavesCursorHidden(written: string): boolean {
  return written.lastIndexOf('\u001b[?25l') > written.lastIndexOf('\u001b[?25h')
}
