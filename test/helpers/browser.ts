// Opens a page in a headless Chromium, over the protocol that its developers' tools speak, by a pipe.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Its path: `CHROMIUM`, or the first that is installed. */
export function findBrowser(): string | undefined {
  const own = process.env['CHROMIUM']
  if (own !== undefined && own !== '') return existsSync(own) ? own : undefined
  return NAMES.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

export interface Visit {
  /** What `expression` came to in the page. */
  readonly value: unknown
  /** Messages of the console, exceptions, and whatever the browser logs, as text. */
  readonly messages: readonly string[]
  /** Addresses that were asked for. */
  readonly requests: readonly string[]
  /** A PNG of the upper part of the page. */
  readonly picture: Buffer
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** Sends commands and hands out events; messages end with a zero byte. */
class Pipe {
  readonly #out: Writable
  readonly #waiting = new Map<
    number,
    { resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void }
  >()
  #last = 0
  session: string | undefined
  onEvent: (method: string, params: Record<string, unknown>) => void = () => {}

  constructor(child: ChildProcess) {
    this.#out = child.stdio[3] as Writable
    let rest = ''
    ;(child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\0')
      rest = parts.pop() as string
      for (const part of parts) this.#take(JSON.parse(part) as Message)
    })
    child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the browser ended with ${code}`))
    })
  }

  #take({ id, method, params, result, error }: Message): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id)
    if (id !== undefined) this.#waiting.delete(id)
    if (error !== undefined) waiting?.reject(new Error(error.message))
    else if (waiting) waiting.resolve(result ?? {})
    else if (method !== undefined) this.onEvent(method, params ?? {})
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last
    this.#out.write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }
}

/** Opens `url`, waits until it is loaded, and computes `expression` in it. */
export async function visit(browser: string, url: string, expression: string): Promise<Visit> {
  const profile = mkdtempSync(join(tmpdir(), 'lowbit-browser-'))
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--remote-debugging-pipe',
  ]
  const child = spawn(browser, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  try {
    return await lookAt(new Pipe(child), url, expression)
  } finally {
    child.kill()
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function lookAt(pipe: Pipe, url: string, expression: string): Promise<Visit> {
  const messages: string[] = []
  const requests: string[] = []
  const targetId = await firstPage(pipe)
  const { sessionId } = await pipe.send('Target.attachToTarget', { targetId, flatten: true })
  pipe.session = sessionId as string
  const loaded = new Promise<void>((resolve) => {
    pipe.onEvent = (method, params) => {
      if (method === 'Page.loadEventFired') resolve()
      else if (method === 'Network.requestWillBeSent')
        requests.push((params['request'] as { url: string }).url)
      else if (/^(Runtime\.(consoleAPICalled|exceptionThrown)|Log\.entryAdded)$/.test(method)) {
        messages.push(JSON.stringify(params))
      }
    }
  })
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await pipe.send(`${domain}.enable`)
  await pipe.send('Page.navigate', { url })
  await loaded
  const { result, exceptionDetails } = await pipe.send('Runtime.evaluate', {
    expression,
    returnByValue: true,
  })
  if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
  const { data } = await pipe.send('Page.captureScreenshot')
  return {
    value: (result as { value: unknown }).value,
    messages,
    requests,
    picture: Buffer.from(data as string, 'base64'),
  }
}

/** The browser opens one by itself, a moment after it answers. */
async function firstPage(pipe: Pipe): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const { targetInfos } = await pipe.send('Target.getTargets')
    const page = (targetInfos as { type: string; targetId: string }[]).find(({ type }) => type === 'page')
    if (page) return page.targetId
    await setTimeout(50)
  }
  throw new Error('the browser opened no page')
}
