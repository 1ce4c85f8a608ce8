// One convolution without a model: a 3 x 3 box filter over a picture of one channel.
import { conv2d, cpu } from 'lowbit/kernels'

const { data, shape } = conv2d({
  input: Int8Array.from({ length: 5 * 5 }, (_, i) => (i === 12 ? 90 : 0)),
  inputShape: [1, 5, 5, 1],
  filter: new Int8Array(9).fill(1),
  filterShape: [1, 3, 3, 1],
  stride: 1,
  padding: 'same',
  inputZeroPoint: 0,
  multiplier: 1 / 9,
  outZeroPoint: 0,
})

console.log(`${cpu().isa}, output ${shape.join(' x ')}`)
for (let row = 0; row < 5; row++) console.log(data.subarray(5 * row, 5 * row + 5).join('\t'))
