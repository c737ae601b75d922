#include "comm/collective/solo_communicator.h"

#include "base/check.h"
#include "base/mutex.h"
#include "base/status.h"
#include "comm/collective/float_buckets.h"
#include "comm/collective/shard_tree.h"

namespace rm::comm {
namespace {

class SoloCommunicator final : public Communicator {
 public:
  [[nodiscard]] int rank() const override { return 0; }
  [[nodiscard]] int world_size() const override { return 1; }

  [[nodiscard]] absl::StatusOr<std::vector<absl::Span<float>>> AllocateBuckets(
      absl::Span<const int64_t> elements) override {
    RM_RETURN_IF_ERROR(buckets_.Allocate(elements));
    in_flight_.assign(elements.size(), false);
    return buckets_.spans();
  }

  // One rank holds all shards, and adds them up to the root by itself.
  [[nodiscard]] absl::StatusOr<std::vector<std::vector<absl::Span<float>>>> AllocateShardBuckets(
      absl::Span<const int64_t> elements, int shards) override {
    RM_RETURN_IF_ERROR(CheckShards(shards, 1));
    RM_ASSIGN_OR_RETURN(const auto buckets, AllocateBuckets(elements));
    std::vector<std::vector<absl::Span<float>>> sums;
    for (const absl::Span<float> bucket : buckets) sums.push_back({bucket});
    return sums;
  }

  void AllReduce(int index) override {
    const size_t i = static_cast<size_t>(index);
    RM_CHECK(index >= 0 && i < in_flight_.size(), "there is no bucket ", index);
    RM_CHECK(!in_flight_[i], "bucket ", index, " is started twice");
    in_flight_[i] = true;
    static_cast<void>(Done());
  }

  [[nodiscard]] absl::Status WaitAll() override {
    in_flight_.assign(in_flight_.size(), false);
    base::MutexLock lock(mutex_);
    return failure_;
  }

  [[nodiscard]] absl::Status SumInPlace(absl::Span<double> /*values*/) override { return Done(); }

  [[nodiscard]] absl::Status Broadcast(absl::Span<char> /*bytes*/, int root) override {
    RM_CHECK(root == 0, "root ", root);
    return Done();
  }

  [[nodiscard]] absl::Status Barrier() override { return Done(); }

  void Abort(const absl::Status& cause) override {
    base::MutexLock lock(mutex_);
    if (failure_.ok()) failure_ = absl::AbortedError(cause.message());
  }

  [[nodiscard]] CommunicatorStats stats() const override {
    base::MutexLock lock(mutex_);
    return stats_;
  }

 private:
  absl::Status Done() {
    base::MutexLock lock(mutex_);
    ++stats_.collectives;
    return failure_;
  }

  FloatBuckets buckets_;
  std::vector<bool> in_flight_;
  mutable base::Mutex mutex_;
  CommunicatorStats stats_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Communicator> MakeSoloCommunicator() {
  return std::make_unique<SoloCommunicator>();
}

}  // namespace rm::comm
