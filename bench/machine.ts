// Where and of what figures are: the machine, and the commit that was built.

import { cpus } from 'node:os'
import { output } from '#bench/peers/command.js'

export const machine = () => `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores`

/** Of the repository in a folder. */
export async function commit(root: string): Promise<string> {
  const git = (...args: string[]) => output(['git', '-C', root, ...args])
  try {
    const changed = (await git('status', '--porcelain', '--untracked-files=no')).trim() !== ''
    return (await git('rev-parse', '--short', 'HEAD')).trim() + (changed ? ' with changes' : '')
  } catch {
    return 'unknown'
  }
}
