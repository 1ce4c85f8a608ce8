// `non_max_suppression`: boxes by falling score, without those that overlap a better one; with sigma > 0 an
// overlap lowers the score instead ("soft"). Inputs: boxes (n x 4, two corners), scores, threshold of overlap,
// threshold of score, sigma (absent: 0); all float32. Outputs: indices (int32, zeros at the end), scores
// (may be left out), how many (int32).
//
// Source: LiteRT kernels/internal/reference/non_max_suppression.h. Equal scores come in the order of the
// same heap.
#include <cmath>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Candidate {
  int32_t index;
  float score;
  int32_t seen;  // selected boxes that it has been compared with
};

bool Worse(const Candidate& a, const Candidate& b) { return a.score < b.score; }

float Overlap(const float* a, const float* b) {
  const auto low = [](const float* box, int i) { return std::min(box[i], box[i + 2]); };
  const auto high = [](const float* box, int i) { return std::max(box[i], box[i + 2]); };
  const auto area = [&](const float* box) {
    return (high(box, 0) - low(box, 0)) * (high(box, 1) - low(box, 1));
  };
  const float area_a = area(a), area_b = area(b);
  if (area_a <= 0 || area_b <= 0) return 0;
  float shared = 1;
  for (int i = 0; i < 2; ++i) {
    const float extent = std::min(high(a, i), high(b, i)) - std::max(low(a, i), low(b, i));
    shared *= std::max(extent, 0.0f);
  }
  return shared / (area_a + area_b - shared);
}

class NonMaxSuppression final : public Step {
 public:
  NonMaxSuppression() { kernel_ = "non_max_suppression.scalar"; }
  size_t boxes = 0, most = 0;
  Operand in[5], indices, scores, count;
  bool is_soft = false, has_scores = false;

  uint64_t scratch_bytes(int) const override { return uint64_t{boxes} * sizeof(Candidate); }

  void Run(const RunContext& run) const noexcept override {
    const float* const corners = in[0].In<float>(run);
    const float* const given = in[1].In<float>(run);
    const float overlap = *in[2].In<float>(run), lowest = *in[3].In<float>(run);
    const float sigma = is_soft ? *in[4].In<float>(run) : 0;
    if (!(sigma >= 0)) return run.Fail("a negative sigma");
    Candidate* const queue = reinterpret_cast<Candidate*>(run.scratch);
    size_t queued = 0;
    for (size_t i = 0; i < boxes; ++i) {
      if (!(given[i] > lowest)) continue;
      queue[queued++] = {static_cast<int32_t>(i), given[i], 0};
      std::push_heap(queue, queue + queued, Worse);
    }
    int32_t* const chosen = indices.Out<int32_t>(run);
    float* const kept = has_scores ? scores.Out<float>(run) : nullptr;
    const size_t wanted = std::min(queued, most);
    size_t selected = 0;
    while (selected < wanted && queued > 0) {
      std::pop_heap(queue, queue + queued, Worse);
      Candidate next = queue[queued - 1];
      --queued;
      const float before = next.score;
      bool is_suppressed = false;
      for (size_t j = selected; j-- > static_cast<size_t>(next.seen);) {
        const float shared = Overlap(corners + 4 * next.index, corners + 4 * chosen[j]);
        is_suppressed = shared >= overlap;
        if (is_suppressed) break;
        if (sigma > 0) next.score *= std::exp(-0.5f / sigma * shared * shared);
        if (next.score <= lowest) break;
      }
      if (is_suppressed) continue;
      next.seen = static_cast<int32_t>(selected);
      if (next.score == before) {
        chosen[selected] = next.index;
        if (kept) kept[selected] = next.score;
        ++selected;
      }
      // As the reference does, also what was selected: it then suppresses itself, with an overlap of 1.
      if (next.score > lowest) {
        queue[queued++] = next;
        std::push_heap(queue, queue + queued, Worse);
      }
    }
    std::fill(chosen + selected, chosen + most, 0);
    if (kept) std::fill(kept + selected, kept + most, 0.0f);
    *count.Out<int32_t>(run) = static_cast<int32_t>(selected);
  }
};

}  // namespace

Status LoadNonMaxSuppression(StepArgs& args, std::unique_ptr<Step>* step) {
  auto loaded = std::make_unique<NonMaxSuppression>();
  loaded->is_soft = args.input_count() == 5 && args.has_input(4);
  loaded->has_scores = args.output_count() == 3;
  const int inputs = loaded->is_soft ? 5 : 4, outputs = loaded->has_scores ? 3 : 2;
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, inputs, outputs));
  const Tensor &boxes = args.input(0), &indices = args.output(0), &count = args.output(outputs - 1);
  for (int i = 0; i < inputs; ++i) {
    if (args.input(i).dtype != Dtype::kFloat32) return args.Fail(Code::kTypeMismatch, "takes float32");
    if (i > 1 && args.input(i).count() != 1)
      return args.Fail(Code::kShapeMismatch, "thresholds are one number");
    loaded->in[i] = args.Bind(args.input(i));
  }
  if (boxes.rank != 2 || boxes.dims[1] != 4 || args.input(1).count() != static_cast<size_t>(boxes.dims[0]))
    return args.Fail(Code::kShapeMismatch, "boxes and scores do not fit together");
  const bool fits = indices.dtype == Dtype::kInt32 && count.dtype == Dtype::kInt32 && count.count() == 1 &&
                    (!loaded->has_scores ||
                     (args.output(1).dtype == Dtype::kFloat32 && args.output(1).count() == indices.count()));
  if (!fits) return args.Fail(Code::kShapeMismatch, "outputs of another size or type");
  loaded->boxes = static_cast<size_t>(boxes.dims[0]);
  loaded->most = indices.count();
  loaded->indices = args.Bind(indices);
  if (loaded->has_scores) loaded->scores = args.Bind(args.output(1));
  loaded->count = args.Bind(count);
  *step = std::move(loaded);
  return Status();
}

}  // namespace lowbit::program::steps
