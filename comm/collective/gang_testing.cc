#include "comm/collective/gang_testing.h"

#include <atomic>
#include <numeric>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace rm::comm {
namespace {

std::string NextJob() {
  static std::atomic<int> jobs{0};
  return absl::StrCat("job-", jobs++);
}

}  // namespace

TestGang::TestGang(const std::string& transport, int world_size) : job_(NextJob()) {
  for (int rank = 0; rank < world_size; ++rank) {
    EndpointOptions options;
    options.transport = transport;
    auto endpoint = OpenEndpoint(options);
    RM_CHECK(endpoint.ok(), endpoint.status().ToString());
    addresses_.push_back((*endpoint)->address());
    endpoints_.push_back(*std::move(endpoint));
  }
}

Membership TestGang::MembershipOf(int rank, int64_t generation) const {
  Membership membership;
  membership.job = job_;
  membership.generation = generation;
  membership.rank = rank;
  membership.peers = addresses_;
  return membership;
}

std::vector<absl::Status> TestGang::Run(int64_t generation, const Body& body) {
  std::vector<int> ranks(endpoints_.size());
  std::iota(ranks.begin(), ranks.end(), 0);
  return RunRanks(ranks, generation, absl::Seconds(60), body);
}

std::vector<absl::Status> TestGang::RunRanks(const std::vector<int>& ranks, int64_t generation,
                                             absl::Duration join_timeout, const Body& body) {
  std::vector<absl::Status> outcomes(ranks.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ranks.size(); ++i) {
    threads.emplace_back([&, i] {
      Membership membership = MembershipOf(ranks[i], generation);
      membership.join_timeout = join_timeout;
      auto communicator = endpoint(ranks[i]).Join(membership);
      outcomes[i] = communicator.ok() ? body(**communicator) : communicator.status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return outcomes;
}

void Meeting::Wait() {
  base::MutexLock lock(mutex_);
  --missing_;
  all_here_.SignalAll();
  while (missing_ > 0) all_here_.Wait(mutex_);
}

float TestValue(int rank, int bucket, int64_t i) {
  return static_cast<float>((rank * 31 + bucket * 7 + i * 13) % 257 - 100);
}

float TestSum(int world_size, int bucket, int64_t i) {
  float sum = 0;
  for (int rank = 0; rank < world_size; ++rank) sum += TestValue(rank, bucket, i);
  return sum;
}

void FillBucket(int rank, int bucket, absl::Span<float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = TestValue(rank, bucket, static_cast<int64_t>(i));
  }
}

absl::Status CheckBucket(int world_size, int bucket, absl::Span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const float expected = TestSum(world_size, bucket, static_cast<int64_t>(i));
    if (values[i] == expected) continue;
    return absl::InternalError(
        absl::StrCat("bucket ", bucket, " of ", values.size(), " elements has ", values[i], " at ",
                     i, ", the sum over ", world_size, " ranks is ", expected));
  }
  return absl::OkStatus();
}

absl::Status AllOk(const std::vector<absl::Status>& statuses) {
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
