// A small job with checkpoints, for tests.
#ifndef RM_RUNTIME_CHECKPOINT_TESTING_H_
#define RM_RUNTIME_CHECKPOINT_TESTING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "runtime/checkpoint/checkpoint.h"

namespace rm::checkpoint {

inline constexpr char kJobFolder[] = "/storage/mnist-abc123";

// The state of a tiny model after a step: every value depends on the step. Owns what its tensors
// borrow.
class TestModel {
 public:
  // `floats_max` bounds the size of the largest tensor.
  explicit TestModel(int64_t step, size_t floats_max = 12);
  TestModel(const TestModel&) = delete;
  TestModel& operator=(const TestModel&) = delete;

  // What rank `rank` of `world_size` writes: every world_size-th tensor.
  [[nodiscard]] ShardSpec ShardOf(int rank, int world_size) const;
  [[nodiscard]] const std::vector<TensorData>& weights() const { return weights_; }
  [[nodiscard]] const std::vector<TensorData>& optimizer() const { return optimizer_; }

 private:
  void Add(const std::string& name, const std::vector<int64_t>& shape, int64_t step);

  std::vector<std::vector<float>> memory_;
  std::vector<TensorData> weights_;
  std::vector<TensorData> optimizer_;
};

struct TestSave {
  TestSave(int64_t the_step = 0, int64_t the_generation = 1, int the_world_size = 2)  // NOLINT
      : step(the_step), generation(the_generation), world_size(the_world_size) {}

  int64_t step;
  int64_t generation;
  int world_size;
  Lineage lineage;
  int keep_last = 2;
  std::string nonce;  // empty: made of step and generation
  size_t floats_max = 12;
};

// What the ranks do in a save, one after the other; a failure is abandoned as rank 0 does it.
[[nodiscard]] absl::StatusOr<CommitResult> Save(base::FileSystem& files, const TestSave& save);

// OK when the checkpoint at `path` verifies and holds, tensor by tensor, what a save of `step`
// wrote.
[[nodiscard]] absl::Status CheckHolds(const base::FileSystem& files, const std::string& path,
                                      int64_t step, size_t floats_max = 12);

// The names in the job's folder.
[[nodiscard]] std::vector<std::string> NamesIn(const base::FileSystem& files);

}  // namespace rm::checkpoint

#endif  // RM_RUNTIME_CHECKPOINT_TESTING_H_
