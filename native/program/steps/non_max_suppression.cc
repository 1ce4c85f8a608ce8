// `non_max_suppression`: picks boxes by their scores, best first, that do not overlap a better one too much; with a sigma
// above 0 scores of overlapping boxes sink instead. Inputs, float32: boxes [n, 4] (two corners y, x each), scores [n],
// the overlap and the score beyond which a box goes or stays, and sigma or none. Outputs: indices of the picked boxes
// (int32), with sigma their scores, and how many there are; the rest is 0.
//
// Source: Bodla et al. 2017, "Soft-NMS"; TFLite, kernels/internal/reference/non_max_suppression.h. As there, a box is
// put back after it was picked and then meets itself, so that one without an area may be picked again; and equal scores
// come in the order of the standard library's heap.
#include <cmath>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Candidate {
  float score;
  int32_t box, begin;  // picks from `begin` on have not been compared with it
};

bool IsWorse(const Candidate& a, const Candidate& b) { return a.score < b.score; }

struct Extent {
  float low, high;
  Extent(float a, float b) : low(std::min(a, b)), high(std::max(a, b)) {}
  float size() const { return high - low; }
  float Common(const Extent& other) const {
    return std::max(std::min(high, other.high) - std::max(low, other.low), 0.0f);
  }
};

float Overlap(const float* a, const float* b) {
  const Extent ay(a[0], a[2]), ax(a[1], a[3]), by(b[0], b[2]), bx(b[1], b[3]);
  const float area_a = ay.size() * ax.size(), area_b = by.size() * bx.size();
  if (area_a <= 0 || area_b <= 0) return 0;
  const float common = ay.Common(by) * ax.Common(bx);
  return common / (area_a + area_b - common);
}

struct Operands {
  Operand boxes, scores, overlap, least, sigma, picked, picked_scores, count;
  bool is_soft;
};

class NonMaxSuppression final : public Step {
 public:
  NonMaxSuppression(const Operands& operands, size_t boxes, size_t most)
      : o_(operands), boxes_(boxes), most_(most) {
    kernel_ = "non_max_suppression.scalar";
  }
  size_t scratch_bytes(int /*threads*/) const override { return (boxes_ + 1) * sizeof(Candidate); }

  void Run(const RunContext& run) const noexcept override {
    const float *const boxes = o_.boxes.In<float>(run), *const scores = o_.scores.In<float>(run);
    const float overlap = *o_.overlap.In<float>(run), least = *o_.least.In<float>(run);
    const float sigma = o_.is_soft ? *o_.sigma.In<float>(run) : 0;
    const float scale = sigma > 0 ? static_cast<float>(-0.5 / static_cast<double>(sigma)) : 0;
    Candidate* const heap = reinterpret_cast<Candidate*>(run.scratch);
    Candidate* end = heap;
    for (size_t i = 0; i < boxes_; ++i) {
      if (!(scores[i] > least)) continue;
      *end++ = {scores[i], static_cast<int32_t>(i), 0};
      std::push_heap(heap, end, IsWorse);
    }
    int32_t* const picked = o_.picked.Out<int32_t>(run);
    float* const picked_scores = o_.is_soft ? o_.picked_scores.Out<float>(run) : nullptr;
    const size_t most = std::min(static_cast<size_t>(end - heap), most_);
    size_t count = 0;
    while (count < most && end != heap) {
      std::pop_heap(heap, end, IsWorse);
      Candidate next = *--end;
      const float score = next.score;
      bool is_free = true;
      for (size_t j = count; j-- > static_cast<size_t>(next.begin);) {
        const float common = Overlap(boxes + 4 * next.box, boxes + 4 * picked[j]);
        is_free = !(common >= overlap);
        if (!is_free) break;
        if (sigma > 0) next.score *= std::exp(scale * common * common);
        if (next.score <= least) break;
      }
      next.begin = static_cast<int32_t>(count);
      if (!is_free) continue;
      if (next.score == score) {
        picked[count] = next.box;
        if (picked_scores) picked_scores[count] = score;
        ++count;
      }
      if (!(next.score > least)) continue;
      *end++ = next;
      std::push_heap(heap, end, IsWorse);
    }
    std::fill(picked + count, picked + most_, 0);
    if (picked_scores) std::fill(picked_scores + count, picked_scores + most_, 0.0f);
    *o_.count.Out<int32_t>(run) = static_cast<int32_t>(count);
  }

 private:
  const Operands o_;
  const size_t boxes_, most_;
};

bool IsOne(const Tensor& tensor, Dtype dtype) { return tensor.dtype == dtype && tensor.count() == 1; }

}  // namespace

Status LoadNonMaxSuppression(StepArgs& args, std::unique_ptr<Step>* step) {
  const bool is_soft = args.input_count() == 5;
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, is_soft ? 5 : 4, is_soft ? 3 : 2));
  const Tensor &boxes = args.input(0), &scores = args.input(1), &picked = args.output(0);
  const Tensor& count = args.output(is_soft ? 2 : 1);
  if (boxes.dtype != Dtype::kFloat32 || scores.dtype != Dtype::kFloat32 || picked.dtype != Dtype::kInt32)
    return args.Fail(Code::kTypeMismatch, "runs on float32, and gives int32 indices");
  if (boxes.rank != 2 || boxes.dims[1] != 4 || scores.count() != static_cast<size_t>(boxes.dims[0]))
    return args.Fail(Code::kShapeMismatch, "takes boxes of four numbers and a score for each");
  for (int i = 2; i < args.input_count(); ++i)
    if (!IsOne(args.input(i), Dtype::kFloat32))
      return args.Fail(Code::kShapeMismatch, "a limit is one float32");
  if (!IsOne(count, Dtype::kInt32)) return args.Fail(Code::kShapeMismatch, "gives one int32 count");
  const size_t number = scores.count(), most = picked.count();
  LOWBIT_RETURN_IF_ERROR(args.Fits((number + 1) * sizeof(Candidate)));
  Operands o{args.Bind(boxes),
             args.Bind(scores),
             args.Bind(args.input(2)),
             args.Bind(args.input(3)),
             Operand(),
             args.Bind(picked),
             Operand(),
             args.Bind(count),
             is_soft};
  if (is_soft) {
    const Tensor& kept = args.output(1);
    if (kept.dtype != Dtype::kFloat32 || kept.count() != most)
      return args.Fail(Code::kShapeMismatch, "gives a float32 score for each index");
    o.sigma = args.Bind(args.input(4));
    o.picked_scores = args.Bind(kept);
  }
  *step = std::make_unique<NonMaxSuppression>(o, number, most);
  return Status();
}

}  // namespace lowbit::program::steps
