// Gangs whose ranks are threads of the test, over any transport.
//
// Catch2's assertions belong to the test's own thread, so that bodies of ranks return a Status.
#ifndef RM_COMM_COLLECTIVE_GANG_TESTING_H_
#define RM_COMM_COLLECTIVE_GANG_TESTING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "comm/collective/gang.h"

namespace rm::comm {

// The endpoints of `world_size` ranks in this process. Each gang is a job of its own.
class TestGang {
 public:
  // What a rank does in a generation.
  using Body = std::function<absl::Status(Communicator& gang)>;

  TestGang(const std::string& transport, int world_size);

  [[nodiscard]] int world_size() const { return static_cast<int>(endpoints_.size()); }
  [[nodiscard]] Endpoint& endpoint(int rank) { return *endpoints_[static_cast<size_t>(rank)]; }
  [[nodiscard]] Membership MembershipOf(int rank, int64_t generation) const;

  // Replaces the address that the others dial for `rank`.
  void SetAddress(int rank, const std::string& address) {
    addresses_[static_cast<size_t>(rank)] = address;
  }

  // All ranks join `generation` at once, run `body`, and leave. What each returned; the failure to
  // join of one that could not.
  std::vector<absl::Status> Run(int64_t generation, const Body& body);

  // As Run, for some ranks only.
  std::vector<absl::Status> RunRanks(const std::vector<int>& ranks, int64_t generation,
                                     absl::Duration join_timeout, const Body& body);

 private:
  std::string job_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::string> addresses_;
};

// Where the threads of ranks wait for each other, without a communicator. Thread-safe.
class Meeting {
 public:
  explicit Meeting(int threads) : missing_(threads) {}
  // Returns when all threads have come.
  void Wait();

 private:
  base::Mutex mutex_;
  base::CondVar all_here_;
  int missing_ ABSL_GUARDED_BY(mutex_);
};

// What rank `rank` puts into element `i` of bucket `bucket` before an allreduce: a small integer,
// so that any order of adding gives the same float.
[[nodiscard]] float TestValue(int rank, int bucket, int64_t i);
// The sum of TestValue over all ranks.
[[nodiscard]] float TestSum(int world_size, int bucket, int64_t i);

// Fills a bucket with TestValue; compares one with TestSum.
void FillBucket(int rank, int bucket, absl::Span<float> values);
[[nodiscard]] absl::Status CheckBucket(int world_size, int bucket, absl::Span<const float> values);

// OK when all are OK, else the first that is not.
[[nodiscard]] absl::Status AllOk(const std::vector<absl::Status>& statuses);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_GANG_TESTING_H_
