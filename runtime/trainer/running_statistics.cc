#include "runtime/trainer/running_statistics.h"

#include <algorithm>

#include "base/alignment.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::trainer {
namespace {

// Floats of all buffers that move, without the weight.
int64_t Moved(absl::Span<const graph::BufferInfo> buffers) {
  int64_t floats = 0;
  for (const graph::BufferInfo& buffer : buffers) floats += buffer.updated ? buffer.elements : 0;
  return floats;
}

// One part with its weight and padding: what follows on the wire stays aligned.
int64_t PartFloats(int64_t moved) { return base::RoundUp(moved + 1, base::kCacheLineFloats); }

}  // namespace

int64_t RunningStatistics::WireFloats(absl::Span<const graph::BufferInfo> buffers, int parts) {
  const int64_t moved = Moved(buffers);
  return moved == 0 ? 0 : parts * PartFloats(moved);
}

// Statistics lie in the program's arena for good, so their addresses are taken once.
absl::StatusOr<RunningStatistics> RunningStatistics::Create(
    const graph::Program& program, const std::vector<absl::Span<float>>& values, int parts,
    absl::Span<float> wire) {
  RunningStatistics made;
  const auto buffers = program.buffers();
  RM_CHECK(values.size() == buffers.size());
  RM_CHECK(static_cast<int64_t>(wire.size()) == WireFloats(buffers, parts));
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (!buffers[i].updated) continue;
    RM_ASSIGN_OR_RETURN(const float* statistic, program.StatisticMemory(static_cast<int>(i)));
    made.followed_.push_back({statistic, values[i], made.weight_at_, buffers[i].momentum});
    made.weight_at_ += buffers[i].elements;
  }
  if (made.followed_.empty()) return made;
  const auto part = static_cast<size_t>(PartFloats(made.weight_at_));
  for (int i = 0; i < parts; ++i) {
    made.parts_.push_back(wire.subspan(static_cast<size_t>(i) * part, part));
  }
  return made;
}

// Zeros and not 0 · statistic: that of no rows may be no number.
void RunningStatistics::Record(int part, float weight) {
  if (followed_.empty()) return;
  const absl::Span<float> wire = parts_[static_cast<size_t>(part)];
  for (const Followed& followed : followed_) {
    float* out = wire.data() + followed.offset;
    for (size_t i = 0; i < followed.value.size(); ++i) {
      out[i] = weight > 0 ? weight * followed.statistic[i] : 0.0F;
    }
  }
  wire[static_cast<size_t>(weight_at_)] = weight;
}

void RunningStatistics::Update() {
  for (const absl::Span<const float> wire : parts_) {
    const float weight = wire[static_cast<size_t>(weight_at_)];
    if (!(weight > 0)) continue;
    for (const Followed& followed : followed_) {
      const float* sum = wire.data() + followed.offset;
      const float keep = 1.0F - followed.momentum;
      for (size_t i = 0; i < followed.value.size(); ++i) {
        float& value = followed.value[i];
        value = keep * value + followed.momentum * (sum[i] / weight);
      }
    }
  }
}

}  // namespace rm::trainer
