#include "program/source.h"

#include <algorithm>
#include <cmath>

#include "program/variables.h"

namespace lowbit::program {
namespace {

Status Invalid(const std::string& message) { return Status(Code::kInvalid, message); }

// Bits of one element; 0 for an unknown type.
int BitsOf(Dtype dtype) {
  switch (dtype) {
    case Dtype::kInt2:
      return 2;
    case Dtype::kInt4:
      return 4;
    case Dtype::kBool:
    case Dtype::kInt8:
    case Dtype::kUint8:
      return 8;
    case Dtype::kInt16:
    case Dtype::kUint16:
    case Dtype::kFloat16:
    case Dtype::kBfloat16:
      return 16;
    case Dtype::kInt32:
    case Dtype::kUint32:
    case Dtype::kFloat32:
      return 32;
    case Dtype::kInt64:
    case Dtype::kFloat64:
    case Dtype::kComplex64:
      return 64;
  }
  return 0;
}

Status CheckSection(const Source& source, const char* name, const Section& section, size_t record_bytes) {
  const uint64_t end = section.offset + uint64_t{section.count} * record_bytes;  // < 2^32 + 2^32 * 2^7
  if (section.count > 0 && (section.offset < sizeof(Header) || end > source.bytes.size()))
    return Invalid(std::string("program: the ") + name + " end at byte " + Text(end) + " of " +
                   Text(source.bytes.size()));
  return Status();
}

// Whether tensor `index` is the port of this number: of the inputs, then the outputs.
bool IsPort(const Source& source, uint32_t port, uint32_t index) {
  const Section &inputs = source.header.inputs, &outputs = source.header.outputs;
  if (port >= uint64_t{inputs.count} + outputs.count) return false;
  const int32_t tensor = port < inputs.count ? source.At<int32_t>(inputs, port)
                                             : source.At<int32_t>(outputs, port - inputs.count);
  return tensor == static_cast<int64_t>(index);
}

}  // namespace

Status OpenSource(Span<const uint8_t> bytes, Source* source) {
  if (bytes.size < sizeof(Header)) return Invalid("program: " + Text(bytes.size) + " bytes hold no header");
  if (bytes.size > UINT32_MAX) return Status(Code::kLimit, "program: longer than 4 GiB");
  Header& header = source->header;
  std::memcpy(&header, bytes.data, sizeof header);
  if (header.magic != kMagic) return Invalid("program: it does not start with the magic number");
  if (header.version != kVersion)
    return Invalid("program: version " + Text(header.version) + ", this build reads " + Text(kVersion));
  if (header.total_bytes != bytes.size)
    return Invalid("program: it says " + Text(header.total_bytes) + " bytes and has " + Text(bytes.size));
  if (!source->bytes.Allocate(bytes.size)) return Status(Code::kLimit, "program: not enough memory");
  std::memcpy(source->bytes.data(), bytes.data, bytes.size);
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "tensors", header.tensors, sizeof(TensorRecord)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "operands", header.operands, sizeof(int32_t)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "steps", header.steps, sizeof(StepRecord)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "attributes", header.attributes, sizeof(AttributeRecord)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "inputs", header.inputs, sizeof(int32_t)));
  LOWBIT_RETURN_IF_ERROR(CheckSection(*source, "outputs", header.outputs, sizeof(int32_t)));
  return CheckSection(*source, "variables", header.variables, sizeof(VariableRecord));
}

Status ReadTensor(const Source& source, Span<const Span<const uint8_t>> constants, const Variables& variables,
                  uint32_t index, const LoadOptions& options, Tensor* tensor) {
  const TensorRecord record = source.At<TensorRecord>(source.header.tensors, index);
  const auto fail = [index](const std::string& message) {
    return Invalid("program: tensor " + Text(index) + ": " + message);
  };
  const int bits = BitsOf(record.dtype);
  if (bits == 0) return fail("unknown data type " + std::to_string(static_cast<int32_t>(record.dtype)));
  if (record.rank < 0 || record.rank > kMaxRank) return fail("rank " + std::to_string(record.rank));
  // Each product stays below 2^62 * 2^6 or is refused, so that a zero extent after large ones is refused as
  // well.
  uint64_t count = 1;
  bool empty = false;
  for (int i = 0; i < record.rank; ++i) {
    const int32_t extent = record.dims[i];
    if (extent < 0) return fail("extent " + std::to_string(extent));
    if (extent == 0) {
      empty = true;
      continue;
    }
    if (count > (uint64_t{1} << 56) / static_cast<uint64_t>(extent)) return fail("too many elements");
    count *= static_cast<uint64_t>(extent);
  }
  const uint64_t bytes = empty ? 0 : (count * static_cast<uint64_t>(bits) + 7) / 8;
  if (record.bytes != bytes) return fail(Text(record.bytes) + " bytes, its shape has " + Text(bytes));
  if (bytes > SIZE_MAX / 2) return Status(Code::kLimit, "program: tensor " + Text(index) + " is too large");

  uint64_t space = 0;
  const uint8_t* constant = nullptr;
  uint8_t* variable = nullptr;
  if (record.where == Where::kArena || record.where == Where::kState) {
    space = source.header.arena_bytes;
    if (record.where == Where::kState) {
      if (record.source >= variables.list().size())
        return fail("variable " + Text(record.source) + " is none of the program's");
      AlignedBuffer& buffer = variables.list()[record.source]->bytes;
      space = buffer.size();
      variable = buffer.data();
    }
    if (record.offset % static_cast<uint64_t>(std::max(bits / 8, 1)) != 0)
      return fail("offset " + Text(record.offset) + " is not aligned to its elements");
  } else if (record.where == Where::kConstant) {
    if (record.source >= constants.size)
      return fail("constant block " + Text(record.source) + " was not given");
    space = constants[record.source].size;
  } else if (record.where == Where::kLent) {
    const bool is_plain =
        record.dtype == Dtype::kFloat32 || record.dtype == Dtype::kInt32 || record.dtype == Dtype::kBool;
    if (!is_plain) return fail("only float32, int32 and bool are lent");
    if (!IsPort(source, record.source, index))
      return fail("it was lent, and is not port " + Text(record.source));
    space = bytes;
  } else {
    return fail("it is in no place that there is");
  }
  if (record.offset > space || bytes > space - record.offset)
    return fail("bytes " + Text(record.offset) + " + " + Text(bytes) + " lie outside of the " + Text(space) +
                " there are");
  if (record.where == Where::kConstant) {
    static const uint8_t kNothing[1] = {0};
    constant = bytes ? constants[record.source].data + record.offset : kNothing;
    tensor->identity = record.source < options.identities.size
                           ? static_cast<uint64_t>(options.identities[record.source])
                           : 0;
    tensor->block_offset = static_cast<size_t>(record.offset);
  }
  tensor->dtype = record.dtype;
  tensor->rank = record.rank;
  for (int i = 0; i < kMaxRank; ++i) tensor->dims[i] = i < record.rank ? record.dims[i] : 1;
  tensor->bytes = static_cast<size_t>(bytes);
  tensor->where = record.where;
  tensor->offset = record.where == Where::kConstant ? 0 : static_cast<size_t>(record.offset);
  tensor->constant = constant;
  tensor->variable = variable ? variable + tensor->offset : nullptr;
  tensor->source = record.where == Where::kState || record.where == Where::kLent ? record.source : 0;
  return Status();
}

}  // namespace lowbit::program
