// How many threads are of use here: the cores of the machine that this process may use, capped by the CPU quota of its
// control groups (a container with `--cpus 2` on a machine of 64 cores gets 2).

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

/** Cores that this process may use, the quota rounded up; at least 1. */
export function usableCores(root = '/'): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cpuQuota(root))))
}

/**
 * CPU time a wall-clock time that the process's control groups allow, in cores; infinite without a quota. Version 2 has
 * one hierarchy with `cpu.max`, version 1 one a controller with `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
 *
 * @param root Folder that holds `proc` and `sys`; for tests.
 * @see The Linux kernel's admin-guide/cgroup-v2.rst, "CPU Interface Files", and scheduler/sched-bwc.rst.
 */
export function cpuQuota(root = '/'): number {
  let quota = Number.POSITIVE_INFINITY
  for (const line of read(join(root, 'proc/self/cgroup')).split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    if (controllers === '') {
      for (const group of withAncestors(join(root, 'sys/fs/cgroup'), path)) {
        const [limit, period] = read(join(group, 'cpu.max')).trim().split(/\s+/)
        quota = Math.min(quota, ratio(limit, period))
      }
    } else if (controllers.split(',').includes('cpu')) {
      for (const mount of [controllers, 'cpu', 'cpu,cpuacct']) {
        for (const group of withAncestors(join(root, 'sys/fs/cgroup', mount), path)) {
          const limit = read(join(group, 'cpu.cfs_quota_us'))
          quota = Math.min(quota, ratio(limit, read(join(group, 'cpu.cfs_period_us'))))
        }
      }
    }
  }
  return quota
}

/** The folder of a group and of all groups around it. In a container only the outermost may be there. */
function withAncestors(mount: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  return [mount, ...parts.map((_, i) => join(mount, ...parts.slice(0, i + 1)))]
}

/** `max`, -1 and whatever is no positive number mean that there is no quota. */
function ratio(limit = '', period = ''): number {
  const cores = Number(limit) / Number(period)
  return limit.trim() !== '' && cores > 0 && Number.isFinite(cores) ? cores : Number.POSITIVE_INFINITY
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
