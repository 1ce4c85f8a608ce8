// tools/check-loops.mjs on listings made up for it: which loops count, and what is a complaint.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { ROOT } from '../helpers/cli.js'

interface Loop {
  readonly name: string
  readonly from: number
  readonly products: number
  readonly accesses: number
}
interface Exception {
  readonly object: string
  readonly function: RegExp
  readonly most: number
}
interface Tool {
  readonly loopsOf: (listing: string) => Loop[]
  readonly complaintsOf: (
    object: string,
    loops: readonly Loop[],
    exceptions: readonly Exception[],
  ) => string[]
}
const tool: Tool = await import(pathToFileURL(join(ROOT, 'tools/check-loops.mjs')).href)

/** A listing as objdump writes it: an instruction takes four bytes, `@n` is the address of the n-th. */
function listing(name: string, instructions: readonly string[]): string {
  const address = (n: number) => (4 * n).toString(16)
  const lines = instructions.map((text, n) => {
    const [mnemonic = '', ...rest] = text.split(' ')
    const operands = rest.join(' ').replace(/@(\d+)/, (_, to) => `${address(Number(to))} <${name}+0x10>`)
    return `   ${address(n).padStart(4)}:\t${mnemonic.padEnd(6)} ${operands}`
  })
  return `\na.o:     file format elf64-x86-64\n\n0000000000000000 <${name}>:\n${lines.join('\n')}\n`
}

const summary = (loops: readonly Loop[]) => loops.map((loop) => [loop.from, loop.products, loop.accesses])

test('the inner of two loops counts, and what it does to the stack', (t) => {
  const found = tool.loopsOf(
    listing('lowbit::kernels::f(int)', [
      'mov 0x8(%rsp),%rax', // before any loop
      'mov %rax,0x8(%rsp)', // in the outer one
      'vpdpbusd (%rax),%zmm1,%zmm0',
      '{vex} vpdpbusd (%rax),%ymm1,%ymm0',
      'vmovdqa %ymm3,0x40(%rsp)',
      'vpaddd -0x20(%rsp,%rax,4),%ymm3,%ymm3',
      'jne @2',
      'jb @1',
      'ret',
    ]),
  )
  t.deepEqual(summary(found), [[8, 2, 2]])
  t.is(found[0]?.name, 'lowbit::kernels::f(int)')
})

test('%rbp is the stack where it is the frame, and a register elsewhere', (t) => {
  const loop = ['vpmaddwd 0x20(%rbp),%ymm1,%ymm0', 'jne @1', 'ret']
  t.deepEqual(summary(tool.loopsOf(listing('f', ['mov %rsp,%rbp', ...loop]))), [[4, 1, 1]])
  t.deepEqual(summary(tool.loopsOf(listing('f', ['mov %rdi,%rbp', ...loop]))), [[4, 1, 0]])
})

test('loops without products do not count, nor code after the jump back', (t) => {
  const code = [
    'mov 0x8(%rsp),%rax',
    'jne @0',
    'vfmadd231ps %ymm0,%ymm1,%ymm2',
    'jne @2',
    'push (%rsp)',
    'ret',
  ]
  t.deepEqual(summary(tool.loopsOf(listing('f', code))), [[8, 1, 0]])
})

test('a loop that is entered in its middle is one loop, its parts in any order', (t) => {
  const code = [
    'jmp @3',
    'vpdpwssd %zmm0,%zmm1,%zmm2', // the part that the loop begins with lies below
    'mov %rax,(%rsp)',
    'cmp %rax,%rbx',
    'jne @1',
    'ret',
  ]
  t.deepEqual(summary(tool.loopsOf(listing('f', code))), [[4, 1, 1]])
})

test('loops behind a jump through a table are found', (t) => {
  const code = [
    'notrack jmp *%rax',
    'vpmaddwd %ymm0,%ymm1,%ymm2',
    'jne @1',
    'ret',
    'vpmaddwd (%rsp),%ymm1,%ymm2',
    'jne @4',
    'ret',
  ]
  t.deepEqual(summary(tool.loopsOf(listing('f', code))), [
    [4, 1, 0],
    [16, 1, 1],
  ])
})

test('a loop that touches the stack is a complaint, unless an exception names it', (t) => {
  const loops = tool.loopsOf(
    listing('void lowbit::kernels::gemm::(anonymous namespace)::SumTile<8, 2>(int)', [
      'vpdpbusd 0x40(%rsp),%zmm1,%zmm0',
      'jne @0',
      'ret',
    ]),
  )
  const exception = { object: 'gemm/avx2', function: /SumTile<8/, most: 1 }
  const complaint = 'gemm/avx2: void gemm::SumTile<8, 2> at 0: 1 stack accesses beside 1 products'
  t.deepEqual(tool.complaintsOf('gemm/avx2', loops, []), [complaint])
  t.deepEqual(tool.complaintsOf('gemm/avx2', loops, [exception]), [])
  t.is(tool.complaintsOf('gemm/avx2', loops, [{ ...exception, most: 0 }]).length, 1)
  t.is(tool.complaintsOf('gemm/avx2', loops, [{ ...exception, object: 'gemm/avx512vnni' }]).length, 1)
})
