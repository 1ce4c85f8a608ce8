// `rfft2d`: two-dimensional Fourier transform of real images; the half that symmetry does not give. Inputs: x
// (float32, the last two dimensions are the image). Attributes: height, width (powers of two; the image is
// cut or filled with zeros). Output: complex64, height x (width / 2 + 1).
//
// Method: radix-2 transforms in double, of the rows, then of the columns kept. Cooley and Tukey 1965.
#include <cmath>
#include <complex>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

using Complex = std::complex<double>;

class Rfft2d final : public Step {
 public:
  struct Shape {
    size_t images, in_h, in_w, height, width;
    size_t longest() const { return std::max(height, width); }
    size_t kept() const { return width / 2 + 1; }
  };

  // roots: exp(-2 pi i k / longest) for k below longest / 2.
  Rfft2d(Operand in, Operand out, const Shape& shape, AlignedBuffer roots)
      : in_(in), out_(out), s_(shape), roots_(std::move(roots)) {
    kernel_ = "rfft2d.f64.scalar";
    packed_bytes_ = roots_.size();
  }
  // The transformed rows, and one line.
  uint64_t scratch_bytes(int /*threads*/) const override {
    return (uint64_t{s_.height} * s_.kept() + s_.longest()) * sizeof(Complex);
  }
  void Run(const RunContext& run) const noexcept override {
    const float* in = in_.In<float>(run);
    float* out = out_.Out<float>(run);
    for (size_t i = 0; i < s_.images; ++i)
      One(in + i * s_.in_h * s_.in_w, out + i * 2 * s_.height * s_.kept(),
          reinterpret_cast<Complex*>(run.scratch));
  }

 private:
  void One(const float* in, float* out, Complex* rows) const noexcept {
    const size_t kept = s_.kept(), rows_given = std::min(s_.in_h, s_.height),
                 given = std::min(s_.in_w, s_.width);
    Complex* line = rows + s_.height * kept;
    for (size_t y = 0; y < s_.height; ++y) {
      for (size_t x = 0; x < s_.width; ++x) line[x] = y < rows_given && x < given ? in[y * s_.in_w + x] : 0.0;
      Transform(line, s_.width);
      std::copy(line, line + kept, rows + y * kept);
    }
    for (size_t x = 0; x < kept; ++x) {
      for (size_t y = 0; y < s_.height; ++y) line[y] = rows[y * kept + x];
      Transform(line, s_.height);
      for (size_t y = 0; y < s_.height; ++y) {
        out[2 * (y * kept + x)] = static_cast<float>(line[y].real());
        out[2 * (y * kept + x) + 1] = static_cast<float>(line[y].imag());
      }
    }
  }
  // In place: bits of the index reversed, then butterflies of growing span.
  void Transform(Complex* line, size_t n) const noexcept {
    for (size_t i = 1, j = 0; i < n; ++i) {
      size_t bit = n >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) std::swap(line[i], line[j]);
    }
    const Complex* roots = roots_.as<Complex>();
    for (size_t half = 1; half < n; half *= 2) {
      const size_t pace = s_.longest() / (2 * half);
      for (size_t start = 0; start < n; start += 2 * half) {
        for (size_t k = 0; k < half; ++k) {
          Complex& a = line[start + k];
          Complex& b = line[start + k + half];
          const Complex root = roots[k * pace];
          const Complex turned(b.real() * root.real() - b.imag() * root.imag(),
                               b.real() * root.imag() + b.imag() * root.real());
          b = a - turned;
          a += turned;
        }
      }
    }
  }

  Operand in_, out_;
  Shape s_;
  AlignedBuffer roots_;
};

bool IsPowerOfTwo(int n) { return n > 0 && (n & (n - 1)) == 0; }

}  // namespace

Status LoadRfft2d(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != Dtype::kFloat32 || out.dtype != Dtype::kComplex64)
    return args.Fail(Code::kTypeMismatch, "makes complex64 of float32");
  constexpr int kMost = 1 << 24;
  LOWBIT_STEP_INT(height, 1, kMost);
  LOWBIT_STEP_INT(width, 1, kMost);
  if (!IsPowerOfTwo(height) || !IsPowerOfTwo(width))
    return args.Fail(Code::kInvalid, "lengths must be powers of two");
  const int rank = in.rank;
  if (rank < 2 || out.rank != rank || !std::equal(in.dims, in.dims + rank - 2, out.dims) ||
      out.dims[rank - 2] != height || out.dims[rank - 1] != width / 2 + 1)
    return args.Fail(Code::kShapeMismatch, "the output has another shape");
  Rfft2d::Shape shape{1, static_cast<size_t>(in.dims[rank - 2]), static_cast<size_t>(in.dims[rank - 1]),
                      static_cast<size_t>(height), static_cast<size_t>(width)};
  for (int i = 0; i < rank - 2; ++i) shape.images *= static_cast<size_t>(in.dims[i]);
  const size_t count = std::max<size_t>(1, shape.longest() / 2);
  LOWBIT_RETURN_IF_ERROR(args.Fits(count * sizeof(Complex)));
  AlignedBuffer roots;
  if (!roots.Allocate(count * sizeof(Complex)))
    return args.Fail(Code::kLimit, "no memory for the roots of unity");
  constexpr double kPi = 3.14159265358979323846;
  for (size_t k = 0; k < count; ++k) {
    const double angle = -2 * kPi * static_cast<double>(k) / static_cast<double>(shape.longest());
    roots.as<Complex>()[k] = Complex(std::cos(angle), std::sin(angle));
  }
  *step = std::make_unique<Rfft2d>(args.Bind(in), args.Bind(out), shape, std::move(roots));
  return Status();
}

}  // namespace lowbit::program::steps
