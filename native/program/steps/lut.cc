// `lut`: bytes through a table of 256. Inputs: x. Attributes: table (256 bytes, indexed by the code's bits).
// `lut16`: int16 through a table of 65536. Attributes: table (131072 bytes, little-endian, likewise).
// Both: lowest (optional, for signed inputs): a smaller code fails the run.
#include "dispatch/lut.h"

#include <cstring>
#include <limits>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

// Whether all codes are at least `lowest`; says it to the run where they are not.
template <typename T>
bool Allowed(const RunContext& run, const T* in, size_t count, int lowest) {
  if (lowest <= std::numeric_limits<T>::min()) return true;
  for (size_t i = 0; i < count; ++i) {
    if (in[i] >= lowest) continue;
    run.Fail("a negative number, for which the function has no result");
    return false;
  }
  return true;
}

class Lut final : public Step {
 public:
  Lut(const kernels::lut::Row& row, Operand in, Operand out, size_t count, const uint8_t* table, int lowest)
      : run_(row.run), in_(in), out_(out), count_(count), lowest_(lowest) {
    std::memcpy(table_, table, 256);
    kernel_ = row.name;
  }
  void Run(const RunContext& run) const noexcept override {
    const uint8_t* in = in_.In<uint8_t>(run);
    uint8_t* out = out_.Out<uint8_t>(run);
    if (!Allowed(run, in_.In<int8_t>(run), count_, lowest_)) return;
    Split(run, count_, 16 << 10,
          [&](size_t begin, size_t end) { run_(table_, in + begin, out + begin, end - begin); });
  }

 private:
  kernels::lut::Kernel run_;
  Operand in_, out_;
  size_t count_;
  int lowest_;
  uint8_t table_[256];
};

class Lut16 final : public Step {
 public:
  Lut16(Operand in, Operand out, size_t count, AlignedBuffer table, int lowest)
      : in_(in), out_(out), count_(count), lowest_(lowest), table_(std::move(table)) {
    kernel_ = "lut.s16.scalar";
    packed_bytes_ = table_.size();
  }
  void Run(const RunContext& run) const noexcept override {
    const uint16_t* in = in_.In<uint16_t>(run);
    uint16_t* out = out_.Out<uint16_t>(run);
    const uint16_t* table = table_.as<uint16_t>();
    if (!Allowed(run, in_.In<int16_t>(run), count_, lowest_)) return;
    Split(run, count_, 16 << 10, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) out[i] = table[in[i]];
    });
  }

 private:
  Operand in_, out_;
  size_t count_;
  int lowest_;
  AlignedBuffer table_;
};

// Below every code where the attribute is absent.
Status LowestOf(const StepArgs& args, Dtype dtype, int* lowest) {
  *lowest = -32768;
  if (!args.has("lowest")) return Status();
  if (dtype != Dtype::kInt8 && dtype != Dtype::kInt16)
    return args.Fail(Code::kTypeMismatch, "lowest needs signed codes");
  return args.Int("lowest", -32768, 32767, lowest);
}

}  // namespace

Status LoadLut(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (ElementBytes(in.dtype) != 1 || ElementBytes(out.dtype) != 1) {
    return args.Fail(Code::kTypeMismatch, "maps bytes to bytes");
  }
  if (in.bytes != out.bytes) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  Span<const uint8_t> table;
  LOWBIT_RETURN_IF_ERROR(args.Bytes("table", 256, &table));
  int lowest;
  LOWBIT_RETURN_IF_ERROR(LowestOf(args, in.dtype, &lowest));
  *step = std::make_unique<Lut>(dispatch::lut::Choose(args.isa()), args.Bind(in), args.Bind(out), in.bytes,
                                table.data, lowest);
  return Status();
}

Status LoadLut16(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 1, 1));
  const Tensor& in = args.input(0);
  const Tensor& out = args.output(0);
  if (in.dtype != Dtype::kInt16 || out.dtype != Dtype::kInt16) {
    return args.Fail(Code::kTypeMismatch, "maps int16 to int16");
  }
  if (in.bytes != out.bytes) return args.Fail(Code::kShapeMismatch, "input and output differ in size");
  Span<const uint8_t> bytes;
  LOWBIT_RETURN_IF_ERROR(args.Bytes("table", 131072, &bytes));
  AlignedBuffer table;
  if (!table.Allocate(bytes.size)) return args.Fail(Code::kLimit, "no memory for the table");
  std::memcpy(table.data(), bytes.data, bytes.size);
  int lowest;
  LOWBIT_RETURN_IF_ERROR(LowestOf(args, in.dtype, &lowest));
  *step = std::make_unique<Lut16>(args.Bind(in), args.Bind(out), in.bytes / 2, std::move(table), lowest);
  return Status();
}

}  // namespace lowbit::program::steps
