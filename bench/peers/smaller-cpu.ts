// Peers have no switch for an older instruction set. patch_cpuid.py of ../shared/bench/peers takes the `cpuid` instructions out
// of a copy of their libraries, and cpuid_mask.c answers in their place as a processor with less would.

import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { output } from './command.js'

/** What CPU_CAP calls the levels that it knows. */
const CAPS: Readonly<Record<string, string>> = { avx2: 'avx2', avxvnni: 'avx2vnni' }

const LIBRARY = /\.(so(\.\d+)*|node)$/

/** Where copies go, the scripts come from, and what runs them. */
export interface CapTools {
  readonly scripts: string
  readonly scratch: string
  readonly python: string
}

/** The environment of a process that sees a processor of level `isa`. @throws {Error} if that cannot be had. */
export async function capEnvironment(isa: string, tools: CapTools): Promise<Record<string, string>> {
  const cap = CAPS[isa]
  if (cap === undefined) throw new Error(`peers cannot be held to ${isa}`)
  const source = join(tools.scripts, 'cpuid_mask.c')
  if (!existsSync(source)) throw new Error(`${source}, which shows peers a smaller processor, is missing`)
  mkdirSync(tools.scratch, { recursive: true })
  const library = join(tools.scratch, 'cpuid_mask.so')
  if (!existsSync(library)) await output(['gcc', '-O2', '-shared', '-fPIC', source, '-o', library])
  return { CPU_CAP: cap, LD_PRELOAD: library }
}

/** A copy of the package's folder, under a name with its version, without `cpuid`; made once. */
export async function cappedCopy(folder: string, version: string, tools: CapTools): Promise<string> {
  const parent = join(tools.scratch, `${basename(folder)}-${version}`)
  const copy = join(parent, basename(folder))
  if (existsSync(copy)) return copy
  // Under another name until it is whole: an interrupted copy is made anew.
  const partial = join(parent, 'partial')
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(parent, { recursive: true })
  cpSync(folder, partial, { recursive: true, dereference: true })
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of names.filter((file) => LIBRARY.test(file))) {
    await output([
      tools.python,
      join(tools.scripts, 'patch_cpuid.py'),
      join(folder, name),
      join(partial, name),
    ])
  }
  renameSync(partial, copy)
  return copy
}
