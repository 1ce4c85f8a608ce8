// `detection`: decodes boxes around anchors and keeps the best that do not overlap too much. Inputs: boxes
// [1, n, 4 or more], scores [1, n, classes or one more (background first)], anchors [n, 4], float32 or uint8.
// Outputs: boxes, classes, scores, and how many there are. Attributes: maxDetections, maxClasses (of one
// box), perClass, regular (0 or 1), classes, thresholds (score, overlap), scales (4), inputScale (3),
// inputZeroPoint (3).
//
// Source: LiteRT kernels/detection_postprocess.cc. Of equal scores the one with the lower index comes first.
#include <cmath>
#include <cstring>

#include "program/steps/common.h"

namespace lowbit::program::steps {
namespace {

struct Box {
  float ymin, xmin, ymax, xmax;
};

struct Input {
  Operand at;
  bool is_real;
  float scale;
  int32_t zero_point;
  size_t stride;

  float Read(const RunContext& run, size_t row, size_t column) const {
    const size_t i = row * stride + column;
    if (is_real) return at.In<float>(run)[i];
    return static_cast<float>(at.In<uint8_t>(run)[i] - zero_point) * scale;
  }
};

struct Settings {
  Input boxes, scores, anchors;
  Operand out[4];
  size_t count, classes, background;  // boxes; classes; 1 where a background class stands first
  size_t max_detections, max_classes, per_class, kept_classes;
  bool is_regular;
  float score_threshold, overlap_threshold, scales[4];
};

struct Candidate {
  float score;
  int32_t box, label;
};

float Overlap(const Box& a, const Box& b) {
  const float area_a = (a.ymax - a.ymin) * (a.xmax - a.xmin), area_b = (b.ymax - b.ymin) * (b.xmax - b.xmin);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = std::max(std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin), 0.0f);
  const float width = std::max(std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin), 0.0f);
  return height * width / (area_a + area_b - height * width);
}

class Detection final : public Step {
 public:
  explicit Detection(const Settings& settings) : s_(settings) { kernel_ = "detection.scalar"; }

  void Run(const RunContext& run) const noexcept override {
    uint8_t* place = run.scratch;
    const auto take = [&place](auto* kind, size_t count) {
      decltype(kind) const taken = reinterpret_cast<decltype(kind)>(place);
      place += count * sizeof *kind;
      return taken;
    };
    Work work;
    work.boxes = take(static_cast<Box*>(nullptr), s_.count);
    work.ranked = take(static_cast<Candidate*>(nullptr), s_.count);
    work.best = take(static_cast<Candidate*>(nullptr), s_.max_detections + s_.per_class);
    work.merged = take(static_cast<Candidate*>(nullptr), s_.max_detections + s_.per_class);
    work.values = take(static_cast<float*>(nullptr), s_.count + s_.classes);
    work.labels = take(static_cast<int32_t*>(nullptr), s_.classes);
    for (int i = 0; i < 3; ++i)
      std::memset(s_.out[i].Out<float>(run), 0, s_.max_detections * s_.max_classes * (i ? 4 : 16));
    if (!Decode(run, work.boxes)) return run.Fail("a box is turned inside out");
    const size_t found = s_.is_regular ? Regular(run, work) : Fast(run, work);
    s_.out[3].Out<float>(run)[0] = static_cast<float>(found);
  }

  uint64_t scratch_bytes(int) const override {
    return s_.count * (sizeof(Box) + sizeof(Candidate) + sizeof(float)) + s_.classes * 8 +
           2 * (s_.max_detections + s_.per_class) * sizeof(Candidate);
  }

 private:
  struct Work {
    Box* boxes;
    Candidate *ranked, *best, *merged;
    float* values;    // one score a box, then those of one box
    int32_t* labels;  // classes of one box
  };

  bool Decode(const RunContext& run, Box* boxes) const {
    for (size_t i = 0; i < s_.count; ++i) {
      double code[4], anchor[4];
      for (size_t k = 0; k < 4; ++k) {
        code[k] = static_cast<double>(s_.boxes.Read(run, i, k)) / static_cast<double>(s_.scales[k]);
        anchor[k] = static_cast<double>(s_.anchors.Read(run, i, k));
      }
      const float y = static_cast<float>(code[0] * anchor[2] + anchor[0]);
      const float x = static_cast<float>(code[1] * anchor[3] + anchor[1]);
      const float half_height = static_cast<float>(0.5 * std::exp(code[2]) * anchor[2]);
      const float half_width = static_cast<float>(0.5 * std::exp(code[3]) * anchor[3]);
      boxes[i] = {y - half_height, x - half_width, y + half_height, x + half_width};
      if (boxes[i].ymin > boxes[i].ymax || boxes[i].xmin > boxes[i].xmax) return false;
    }
    return true;
  }

  // Ranks the boxes by values[] and drops those that overlap a better one; their number, at the start of
  // `ranked`.
  size_t Suppress(const Work& work, int32_t label, size_t most) const {
    size_t count = 0;
    for (size_t i = 0; i < s_.count; ++i)
      if (work.values[i] >= s_.score_threshold)  // never NaN
        work.ranked[count++] = {work.values[i], static_cast<int32_t>(i), label};
    std::sort(work.ranked, work.ranked + count, [](const Candidate& a, const Candidate& b) {
      return a.score > b.score || (a.score == b.score && a.box < b.box);
    });
    size_t kept = 0;
    for (size_t i = 0; i < count && kept < most; ++i) {
      const Candidate candidate = work.ranked[i];
      bool is_free = true;
      for (size_t j = 0; is_free && j < kept; ++j)
        is_free =
            !(Overlap(work.boxes[work.ranked[j].box], work.boxes[candidate.box]) > s_.overlap_threshold);
      if (is_free) work.ranked[kept++] = candidate;
    }
    return kept;
  }

  // Best score of each box first, its other classes beside it.
  size_t Fast(const RunContext& run, const Work& work) const {
    for (size_t i = 0; i < s_.count; ++i) {
      Rank(run, i, work);
      work.values[i] = s_.scores.Read(run, i, static_cast<size_t>(work.labels[0]) + s_.background);
    }
    const size_t found = Suppress(work, 0, s_.max_detections);
    for (size_t i = 0; i < found; ++i) {
      const size_t box = static_cast<size_t>(work.ranked[i].box);
      Rank(run, box, work);
      for (size_t k = 0; k < s_.kept_classes; ++k) {
        const size_t label = static_cast<size_t>(work.labels[k]);
        const float score = s_.scores.Read(run, box, label + s_.background);
        Write(run, work, i * s_.max_classes + k, {score, work.ranked[i].box, work.labels[k]});
      }
    }
    return found;
  }

  // The best classes of a box, in `labels`.
  void Rank(const RunContext& run, size_t box, const Work& work) const {
    float* const scores = work.values + s_.count;
    for (size_t k = 0; k < s_.classes; ++k) {
      scores[k] = s_.scores.Read(run, box, k + s_.background);
      work.labels[k] = static_cast<int32_t>(k);
    }
    if (s_.kept_classes == 1) {
      size_t best = 0;
      for (size_t k = 1; k < s_.classes; ++k)
        if (scores[k] > scores[best]) best = k;
      work.labels[0] = static_cast<int32_t>(best);
      return;
    }
    // The source's own call, whose order of equal scores is that of the heap.
    std::partial_sort(work.labels, work.labels + s_.kept_classes, work.labels + s_.classes,
                      [scores](int32_t a, int32_t b) { return scores[a] > scores[b]; });
  }

  // Class by class; the best of all classes in the end.
  size_t Regular(const RunContext& run, const Work& work) const {
    size_t size = 0;
    for (size_t label = 0; label < s_.classes; ++label) {
      for (size_t i = 0; i < s_.count; ++i) work.values[i] = s_.scores.Read(run, i, label + s_.background);
      const size_t kept = Suppress(work, static_cast<int32_t>(label), s_.per_class);
      std::merge(work.best, work.best + size, work.ranked, work.ranked + kept, work.merged,
                 [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
      size = std::min(size + kept, s_.max_detections);
      std::copy_n(work.merged, size, work.best);
    }
    for (size_t i = 0; i < size; ++i) Write(run, work, i, work.best[i]);
    return size;
  }

  void Write(const RunContext& run, const Work& work, size_t place, const Candidate& found) const {
    std::memcpy(s_.out[0].Out<float>(run) + 4 * place, &work.boxes[found.box], sizeof(Box));
    s_.out[1].Out<float>(run)[place] = static_cast<float>(found.label);
    s_.out[2].Out<float>(run)[place] = found.score;
  }

  const Settings s_;
};

}  // namespace

Status LoadDetection(StepArgs& args, std::unique_ptr<Step>* step) {
  LOWBIT_RETURN_IF_ERROR(ExpectOperands(args, 3, 4));
  constexpr int kMost = 1 << 20;
  LOWBIT_STEP_INT(maxDetections, 1, kMost);
  LOWBIT_STEP_INT(maxClasses, 1, kMost);
  LOWBIT_STEP_INT(perClass, 1, kMost);
  LOWBIT_STEP_INT(regular, 0, 1);
  LOWBIT_STEP_INT(classes, 1, kMost);
  Span<const float> thresholds, scales, input_scales;
  Span<const int32_t> zero_points;
  LOWBIT_RETURN_IF_ERROR(args.Floats("thresholds", 2, &thresholds));
  LOWBIT_RETURN_IF_ERROR(args.Floats("scales", 4, &scales));
  LOWBIT_RETURN_IF_ERROR(args.Floats("inputScale", 3, &input_scales));
  LOWBIT_RETURN_IF_ERROR(args.Ints("inputZeroPoint", 3, &zero_points));
  const Tensor &boxes = args.input(0), &scores = args.input(1), &anchors = args.input(2);
  if (boxes.rank != 3 || scores.rank != 3 || anchors.rank != 2 || boxes.dims[0] != 1 || scores.dims[0] != 1 ||
      boxes.dims[2] < 4 || anchors.dims[1] != 4 || scores.dims[1] != boxes.dims[1] ||
      anchors.dims[0] < boxes.dims[1])
    return args.Fail(Code::kShapeMismatch,
                     "boxes, scores and anchors do not fit together, or are of several pictures");
  if (scores.dims[2] - classes < 0 || scores.dims[2] - classes > 1)
    return args.Fail(Code::kShapeMismatch, "the scores are of another number of classes");
  if (anchors.dtype != boxes.dtype) return args.Fail(Code::kTypeMismatch, "boxes and anchors differ in type");

  Settings s;
  Input* const inputs[3] = {&s.boxes, &s.scores, &s.anchors};
  for (int i = 0; i < 3; ++i) {
    const Tensor& tensor = args.input(i);
    if (tensor.dtype != Dtype::kFloat32 && tensor.dtype != Dtype::kUint8)
      return args.Fail(Code::kTypeMismatch, "runs on float32 and uint8");
    if (zero_points.data[i] < 0 || zero_points.data[i] > 255)
      return args.Fail(Code::kInvalid, "a zero point is no uint8");
    *inputs[i] = {args.Bind(tensor), tensor.dtype == Dtype::kFloat32, input_scales.data[i],
                  zero_points.data[i], static_cast<size_t>(tensor.dims[tensor.rank - 1])};
  }
  const size_t found = static_cast<size_t>(maxDetections) * static_cast<size_t>(maxClasses);
  for (int i = 0; i < 4; ++i) {
    const Tensor& tensor = args.output(i);
    if (tensor.dtype != Dtype::kFloat32 || tensor.count() != (i == 0 ? 4 * found : i == 3 ? 1 : found))
      return args.Fail(Code::kShapeMismatch, "an output has another type or size than expected");
    s.out[i] = args.Bind(tensor);
  }
  s.count = static_cast<size_t>(boxes.dims[1]);
  s.classes = static_cast<size_t>(classes);
  s.background = static_cast<size_t>(scores.dims[2] - classes);
  s.max_detections = static_cast<size_t>(maxDetections);
  s.max_classes = static_cast<size_t>(maxClasses);
  s.per_class = static_cast<size_t>(perClass);
  s.kept_classes = std::min(s.max_classes, s.classes);
  s.is_regular = regular != 0;
  s.score_threshold = thresholds.data[0];
  s.overlap_threshold = thresholds.data[1];
  std::copy_n(scales.data, 4, s.scales);
  *step = std::make_unique<Detection>(s);
  return Status();
}

}  // namespace lowbit::program::steps
