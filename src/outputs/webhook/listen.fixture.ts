/** Real servers on this machine, for tests of what is sent. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const servers: Server[] = []

export function closeServers(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
}

export type Answer = (response: ServerResponse, tries: number, request: IncomingMessage) => void

export const fine: Answer = (response) => void response.writeHead(200).end('ok')

/** A real server; what it gets is kept. */
export async function listen(answer: Answer): Promise<{ readonly url: string; readonly got: string[] }> {
  const got: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece) => {
      body += piece
    })
    request.on('end', () => {
      got.push(body)
      answer(response, got.length, request)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/secret-token`, got }
}
