// CPU quotas, read from made-up /proc and /sys folders.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { cpuQuota, usableCores } from '#lib/session/cores.js'

const NONE = Number.POSITIVE_INFINITY

const cases: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
  ['no control groups at all', {}, NONE],
  ['version 2, no quota', { 'proc/self/cgroup': '0::/a\n', 'sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, NONE],
  [
    'version 2, a quota',
    { 'proc/self/cgroup': '0::/a\n', 'sys/fs/cgroup/a/cpu.max': '150000 100000\n' },
    1.5,
  ],
  [
    'version 2, the narrowest of the groups around it',
    {
      'proc/self/cgroup': '0::/a/b/c\n',
      'sys/fs/cgroup/a/cpu.max': '300000 100000',
      'sys/fs/cgroup/a/b/cpu.max': '200000 100000',
      'sys/fs/cgroup/a/b/c/cpu.max': 'max 100000',
    },
    2,
  ],
  [
    'version 2 in a container, whose path is not to be seen',
    { 'proc/self/cgroup': '0::/../elsewhere\n', 'sys/fs/cgroup/cpu.max': '50000 100000' },
    0.5,
  ],
  [
    'version 1',
    {
      'proc/self/cgroup': '12:memory:/x\n4:cpu,cpuacct:/docker/x\n1:name=systemd:/x\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us': '400000\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000\n',
    },
    4,
  ],
  [
    'version 1 in a container, without a quota',
    {
      'proc/self/cgroup': '4:cpu,cpuacct:/docker/x\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    NONE,
  ],
  [
    'numbers that are none',
    { 'proc/self/cgroup': '0::/\nrubbish\n', 'sys/fs/cgroup/cpu.max': 'many few' },
    NONE,
  ],
]

for (const [title, files, quota] of cases) {
  test(title, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'lowbit-cores-'))
    t.teardown(() => rmSync(root, { recursive: true }))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), text)
    }
    t.is(cpuQuota(root), quota)
    t.is(usableCores(root), Math.max(1, Math.min(availableParallelism(), Math.ceil(quota))))
  })
}

test('this machine', (t) => {
  t.true(usableCores() >= 1 && usableCores() <= availableParallelism())
})
