#include "comm/collective/gang_communicator.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/status.h"
#include "comm/collective/allreduce.h"
#include "comm/collective/direct_collectives.h"
#include "comm/collective/float_buckets.h"
#include "comm/collective/ring_broadcast.h"
#include "comm/collective/ring_edges.h"
#include "comm/collective/ring_gather.h"
#include "comm/collective/shard_tree.h"
#include "comm/collective/tree_allreduce.h"

namespace rm::comm {
namespace {

// Values summed in one gather.
constexpr size_t kSumBlock = 4096;

// Sizes on the wire are bytes.
int64_t BytesOf(absl::Span<const float> floats) {
  return static_cast<int64_t>(floats.size() * sizeof(float));
}

// Buckets of less than this that ranks read directly are not worth waking a thread for: they wait for
// more, or for WaitAll, whose caller adds them itself.
constexpr int64_t kWakeBytes = int64_t{1} << 20;

// Where the ranks' own threads have all cores, a thread that added in the background would only take turns
// with them: nothing is gained by overlapping, and caches are lost.
int64_t WakeBytes(int ranks_of_this_machine) {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return ranks_of_this_machine < cores ? kWakeBytes : std::numeric_limits<int64_t>::max();
}

// Something that the caller has started.
struct Operation {
  CollectiveId id;
  int bucket = 0;               // allreduce
  absl::Span<double> values;    // sum
  absl::Span<char> bytes;       // broadcast
  int root = 0;                 // broadcast
};

class GangCommunicator final : public Communicator {
 public:
  GangCommunicator(std::unique_ptr<Transport> transport,
                   std::unique_ptr<DirectCollectives> direct, CollectiveCounters* counters)
      : transport_(std::move(transport)),
        ring_(*transport_),
        direct_(std::move(direct)),
        moved_before_(transport_->stats()),
        wake_bytes_(WakeBytes(transport_->world_size())),
        counters_(counters != nullptr ? *counters : own_counters_),
        thread_([this] { Run(); }) {}
  ~GangCommunicator() override;

  [[nodiscard]] int rank() const override { return ring_.rank(); }
  [[nodiscard]] int world_size() const override { return ring_.world_size(); }
  [[nodiscard]] absl::StatusOr<std::vector<absl::Span<float>>> AllocateBuckets(
      absl::Span<const int64_t> elements) override;
  [[nodiscard]] absl::StatusOr<std::vector<std::vector<absl::Span<float>>>> AllocateShardBuckets(
      absl::Span<const int64_t> elements, int shards) override;
  void AllReduce(int index) override;
  [[nodiscard]] absl::Status WaitAll() override;
  [[nodiscard]] absl::Status SumInPlace(absl::Span<double> values) override;
  [[nodiscard]] absl::Status Broadcast(absl::Span<char> bytes, int root) override;
  [[nodiscard]] absl::Status Barrier() override;
  void Abort(const absl::Status& cause) override;
  [[nodiscard]] CommunicatorStats stats() const override;

 private:
  // The caller's side.
  void Start(CollectiveKind kind, Operation operation);
  [[nodiscard]] absl::Status WaitUntilIdle();
  [[nodiscard]] absl::Span<float> Bucket(int index) const;

  // The thread's side.
  void Run();
  [[nodiscard]] bool HasWork(bool* stopping);

  // Of whoever runs operations: the thread, or the caller while it waits.
  void RunStarted();
  [[nodiscard]] const Operation* Peek(size_t position);
  [[nodiscard]] bool Pop();
  [[nodiscard]] absl::Status Execute(const Operation& operation);
  [[nodiscard]] absl::Status ExecuteAllReduce(const Operation& operation);
  [[nodiscard]] absl::Status ExecuteTree(const Operation& operation);
  [[nodiscard]] absl::Status ExecuteSum(const Operation& operation);
  // It is done in memory, without the transport's frames: on any thread.
  [[nodiscard]] bool IsDirect(const Operation& operation) const {
    return direct_ != nullptr && operation.id.kind != CollectiveKind::kBroadcast;
  }
  [[nodiscard]] absl::Status ExecuteDirect(const Operation& operation);
  void BeginNext();
  [[nodiscard]] const AllReduceAlgorithm& AlgorithmFor(absl::Span<const float> bucket) const {
    return AllReduceFor(world_size(), BytesOf(bucket));
  }
  [[nodiscard]] AllReduceCall CallOf(const Operation& operation);
  [[nodiscard]] absl::Status FirstCause(const absl::Status& status) const;

  FloatBuckets buckets_;  // outlives the transport, which may still read it while it ends
  int shards_ = 0;                                            // 0: fast mode
  std::vector<std::vector<absl::Span<float>>> shard_buckets_;  // exact mode: by bucket
  std::vector<char> scratch_;
  std::unique_ptr<Transport> transport_;
  RingEdges ring_;
  std::unique_ptr<DirectCollectives> direct_;  // null: the ranks do not share their memory
  const TransportStats moved_before_;          // to come together
  const int64_t wake_bytes_;  // of direct buckets: the thread is woken for as many
  CollectiveCounters own_counters_;  // where nobody wants to know
  CollectiveCounters& counters_;

  mutable base::Mutex mutex_;
  base::CondVar idle_;
  std::deque<Operation> started_ ABSL_GUARDED_BY(mutex_);  // the first one is being executed
  std::vector<bool> in_flight_;                            // buckets; the caller's thread only
  uint64_t next_ordinal_ ABSL_GUARDED_BY(mutex_) = 0;
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;  // the thread is in Serve
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // somebody runs what is started
  bool due_ ABSL_GUARDED_BY(mutex_) = false;      // the thread is to run it
  int64_t deferred_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // started, and not due
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  absl::Duration waited_ ABSL_GUARDED_BY(mutex_);

  bool next_began_ = false;  // the thread's: the second operation has begun already
  std::thread thread_;
};

GangCommunicator::~GangCommunicator() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    if (!started_.empty()) transport_->Abort(absl::AbortedError("left in the middle"));
  }
  transport_->Wake();
  thread_.join();
  transport_.reset();
}

// Once, before the first collective: scratch memory for the largest bucket is set aside here too.
absl::StatusOr<std::vector<absl::Span<float>>> GangCommunicator::AllocateBuckets(
    absl::Span<const int64_t> elements) {
  in_flight_.assign(elements.size(), false);
  if (direct_ != nullptr) {
    RM_RETURN_IF_ERROR(direct_->AllocateBuckets(elements, 0));
    return direct_->spans();
  }
  RM_RETURN_IF_ERROR(buckets_.Allocate(elements));
  size_t scratch = 0;
  for (const absl::Span<float> bucket : buckets_.spans()) {
    scratch = std::max(scratch, AlgorithmFor(bucket).scratch_bytes(world_size(), BytesOf(bucket)));
  }
  scratch_.resize(scratch);
  return buckets_.spans();
}

// All sums of all buckets are memory of one kind, bucket by bucket.
absl::StatusOr<std::vector<std::vector<absl::Span<float>>>> GangCommunicator::AllocateShardBuckets(
    absl::Span<const int64_t> elements, int shards) {
  RM_RETURN_IF_ERROR(CheckShards(shards, world_size()));
  const size_t sums = MaximalSubtrees(ShardsOf(shards, world_size(), rank())).size();
  std::vector<int64_t> all;
  int64_t largest = 0;
  for (const int64_t count : elements) {
    all.insert(all.end(), sums, count);
    largest = std::max(largest, count);
  }
  RM_RETURN_IF_ERROR(direct_ != nullptr ? direct_->AllocateBuckets(elements, shards)
                                        : buckets_.Allocate(all));
  const auto& spans = direct_ != nullptr ? direct_->spans() : buckets_.spans();
  for (size_t i = 0; i < elements.size(); ++i) {
    const auto first = spans.begin() + static_cast<std::ptrdiff_t>(i * sums);
    shard_buckets_.emplace_back(first, first + static_cast<std::ptrdiff_t>(sums));
  }
  shards_ = shards;
  in_flight_.assign(elements.size(), false);
  if (direct_ == nullptr) scratch_.resize(TreeScratch(shards, world_size(), largest));
  return shard_buckets_;
}

// Returns at once; the communicator's thread works while the caller computes.
void GangCommunicator::AllReduce(int index) {
  const size_t i = static_cast<size_t>(index);
  RM_CHECK(index >= 0 && i < in_flight_.size(), "there is no bucket ", index);
  RM_CHECK(!in_flight_[i], "bucket ", index, " is started twice");
  in_flight_[i] = true;
  Operation operation;
  operation.bucket = index;
  Start(CollectiveKind::kAllReduce, operation);
}

// A transport is woken only when its thread sleeps: a wake-up costs a system call.
void GangCommunicator::Start(CollectiveKind kind, Operation operation) {
  bool wake = false;
  bool next = false;
  ++counters_.entered;
  {
    base::MutexLock lock(mutex_);
    operation.id = {kind, next_ordinal_++};
    next = started_.empty();
    started_.push_back(operation);
    if (kind == CollectiveKind::kAllReduce) deferred_bytes_ += BytesOf(Bucket(operation.bucket));
    due_ = due_ || !IsDirect(operation) || deferred_bytes_ >= wake_bytes_;
    wake = asleep_ && due_;
    if (wake) asleep_ = false;
  }
  // From here on a peer that dies is missed by this operation, though nobody may run it yet.
  if (next) transport_->SetActivity({CollectiveName(kind), operation.id.ordinal});
  if (wake) transport_->Wake();
}

absl::Span<float> GangCommunicator::Bucket(int index) const {
  const auto i = static_cast<size_t>(index);
  if (shards_ > 0) return shard_buckets_[i].back();
  return direct_ != nullptr ? direct_->spans()[i] : buckets_.spans()[i];
}

// What needs no frames and is not begun is done here: a hand-over to the thread and back would take
// longer than many a sum. A failure that nobody waited for (a peer died between two steps) is found
// here as well.
absl::Status GangCommunicator::WaitUntilIdle() {
  const absl::Time begin = absl::Now();
  base::MutexLock lock(mutex_);
  while (!started_.empty()) {
    if (running_ || due_) {
      idle_.Wait(mutex_);
      continue;
    }
    running_ = true;
    mutex_.Unlock();
    RunStarted();
    mutex_.Lock();
  }
  waited_ += absl::Now() - begin;
  if (!failure_.ok()) return failure_;
  const absl::Status since = transport_->status();
  return since.ok() ? since : FirstCause(since);
}

// The only place where the trainer waits for the wire.
absl::Status GangCommunicator::WaitAll() {
  const absl::Status status = WaitUntilIdle();
  in_flight_.assign(in_flight_.size(), false);
  return status;
}

// Gathered and added in rank order, in double: the same bits on every rank.
absl::Status GangCommunicator::SumInPlace(absl::Span<double> values) {
  while (!values.empty()) {
    Operation operation;
    operation.values = values.subspan(0, kSumBlock);
    Start(CollectiveKind::kSum, operation);
    values.remove_prefix(operation.values.size());
  }
  return WaitUntilIdle();
}

absl::Status GangCommunicator::Broadcast(absl::Span<char> bytes, int root) {
  Operation operation;
  operation.bytes = bytes;
  operation.root = root;
  Start(CollectiveKind::kBroadcast, operation);
  return WaitUntilIdle();
}

// A sum of nothing.
absl::Status GangCommunicator::Barrier() {
  Start(CollectiveKind::kBarrier, Operation());
  return WaitUntilIdle();
}

// From any thread; what waits is woken with the cause.
void GangCommunicator::Abort(const absl::Status& cause) {
  transport_->Abort(cause.ok() ? absl::AbortedError("aborted without a cause") : cause);
  const absl::Status first = FirstCause(transport_->status());
  base::MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = first;
}

CommunicatorStats GangCommunicator::stats() const {
  const TransportStats moved = transport_->stats();
  base::MutexLock lock(mutex_);
  CommunicatorStats stats;
  const int64_t read = direct_ != nullptr ? direct_->bytes_read() : 0;
  stats.bytes_sent = moved.bytes_sent - moved_before_.bytes_sent + read;
  stats.bytes_received = moved.bytes_received - moved_before_.bytes_received + read;
  stats.collectives = static_cast<int64_t>(next_ordinal_);
  stats.waited = waited_;
  return stats;
}

// The communicator's thread: operations in their order, one at a time, and the transport's own needs
// while there is none.
void GangCommunicator::Run() {
  ::pthread_setname_np(::pthread_self(), "collectives");  // as a dump of stacks shows it
  bool stopping = false;
  while (true) {
    const bool has_work = HasWork(&stopping);
    if (stopping) return;
    if (!has_work) {
      transport_->Serve();
      continue;
    }
    RunStarted();
  }
}

// When nothing is due, nothing that is started needs the thread: the caller will run it.
bool GangCommunicator::HasWork(bool* stopping) {
  base::MutexLock lock(mutex_);
  due_ = (due_ || stopping_) && !started_.empty();
  if (due_) running_ = true;
  asleep_ = !due_ && !stopping_;
  *stopping = stopping_ && started_.empty();
  return due_;
}

// Until nothing is left. Only one thread is here at a time, and only it pops: so the first operation
// stays where it is.
void GangCommunicator::RunStarted() {
  do {
    const absl::Status status = Execute(*Peek(0));
    if (!status.ok()) {
      const absl::Status cause = FirstCause(status);
      base::MutexLock lock(mutex_);
      if (failure_.ok()) failure_ = cause;
    }
  } while (Pop());
}

const Operation* GangCommunicator::Peek(size_t position) {
  base::MutexLock lock(mutex_);
  return position < started_.size() ? &started_[position] : nullptr;
}

// The last operation is done only when its memory is the caller's again. Says whether there is another:
// if not, this run is over in the same moment, and whoever starts the next operation begins anew.
bool GangCommunicator::Pop() {
  const bool last = Peek(1) == nullptr;
  absl::Status flushed = last ? ring_.Flush() : absl::OkStatus();
  if (last && flushed.ok() && direct_ != nullptr) flushed = direct_->Flush();
  const absl::Status cause = flushed.ok() ? flushed : FirstCause(flushed);
  ++counters_.left;
  base::MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = cause;
  started_.pop_front();
  if (!started_.empty()) return true;
  deferred_bytes_ = 0;
  running_ = false;
  due_ = false;
  idle_.SignalAll();
  return false;
}

absl::Status GangCommunicator::Execute(const Operation& operation) {
  RM_RETURN_IF_ERROR(transport_->status());
  transport_->SetActivity({CollectiveName(operation.id.kind), operation.id.ordinal});
  if (IsDirect(operation)) return ExecuteDirect(operation);
  switch (operation.id.kind) {
    case CollectiveKind::kAllReduce:
      return shards_ > 0 ? ExecuteTree(operation) : ExecuteAllReduce(operation);
    case CollectiveKind::kSum:
      return ExecuteSum(operation);
    case CollectiveKind::kBroadcast:
      // Ranks that read memory here and frames there would wait for each other in two places.
      if (direct_ != nullptr) {
        RM_RETURN_IF_ERROR(direct_->Meet(operation.id, operation.bytes.size()));
      }
      return RingBroadcast(ring_, operation.id, operation.bytes, operation.root);
    case CollectiveKind::kBarrier:
    case CollectiveKind::kJoin:
      return RingGather(ring_, operation.id, {}, 0);
  }
  return absl::InternalError("no such operation");
}

// A barrier is a sum of nothing.
absl::Status GangCommunicator::ExecuteDirect(const Operation& operation) {
  if (operation.id.kind == CollectiveKind::kAllReduce) {
    return direct_->AllReduce(operation.id, operation.bucket);
  }
  return direct_->Sum(operation.id, operation.values);
}

absl::Status GangCommunicator::ExecuteAllReduce(const Operation& operation) {
  const AllReduceCall call = CallOf(operation);
  const AllReduceAlgorithm& algorithm = AlgorithmFor(call.bucket);
  if (!next_began_) algorithm.begin(ring_, call);
  next_began_ = false;
  RM_RETURN_IF_ERROR(algorithm.finish(ring_, call, [this] { BeginNext(); }));
  return call.scratch.empty() ? absl::OkStatus() : ring_.Flush();
}

// Exact mode has one algorithm for every size: its order of adding is its purpose.
absl::Status GangCommunicator::ExecuteTree(const Operation& operation) {
  const auto& sums = shard_buckets_[static_cast<size_t>(operation.bucket)];
  return TreeAllReduce(ring_, {operation.id, shards_, sums, absl::MakeSpan(scratch_)});
}

// Called when the present allreduce has sent all it has: the next one's first chunk may go out while
// this one's last is still awaited.
void GangCommunicator::BeginNext() {
  const Operation* const next = Peek(1);
  if (next == nullptr || next->id.kind != CollectiveKind::kAllReduce) return;
  const AllReduceCall call = CallOf(*next);
  const AllReduceAlgorithm& algorithm = AlgorithmFor(call.bucket);
  if (!algorithm.begins_early) return;
  algorithm.begin(ring_, call);
  next_began_ = true;
}

AllReduceCall GangCommunicator::CallOf(const Operation& operation) {
  const absl::Span<float> bucket = buckets_.spans()[static_cast<size_t>(operation.bucket)];
  const size_t scratch = AlgorithmFor(bucket).scratch_bytes(world_size(), BytesOf(bucket));
  return {operation.id, bucket, absl::MakeSpan(scratch_).subspan(0, scratch)};
}

absl::Status GangCommunicator::ExecuteSum(const Operation& operation) {
  const size_t bytes = operation.values.size() * sizeof(double);
  std::vector<double> all(operation.values.size() * static_cast<size_t>(world_size()));
  const absl::Span<char> slots(reinterpret_cast<char*>(all.data()), all.size() * sizeof(double));
  std::memcpy(slots.data() + bytes * static_cast<size_t>(rank()), operation.values.data(), bytes);
  RM_RETURN_IF_ERROR(RingGather(ring_, operation.id, slots, bytes));
  for (size_t i = 0; i < operation.values.size(); ++i) {
    double sum = all[i];
    for (size_t r = 1; r < static_cast<size_t>(world_size()); ++r) {
      sum += all[r * operation.values.size() + i];
    }
    operation.values[i] = sum;
  }
  return ring_.Flush();
}

// What callers are told: the first cause, as Aborted unless it is damage.
absl::Status GangCommunicator::FirstCause(const absl::Status& status) const {
  const absl::Status first = transport_->status();
  const absl::Status& cause = first.ok() ? status : first;
  if (cause.code() == absl::StatusCode::kDataLoss) return cause;
  return absl::AbortedError(cause.message());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Communicator>> MakeGangCommunicator(
    std::unique_ptr<Transport> transport, bool direct, CollectiveCounters* counters) {
  std::unique_ptr<DirectCollectives> in_memory;
  if (direct) {
    RM_ASSIGN_OR_RETURN(in_memory,
                        DirectCollectives::Open(*transport));
  }
  return std::make_unique<GangCommunicator>(std::move(transport), std::move(in_memory), counters);
}

}  // namespace rm::comm
