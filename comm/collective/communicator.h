// A gang's handle on its collectives: what the trainer sees of communication.
//
// All ranks of one generation hold one Communicator each and call the same operations in the same
// order. Buckets are flat float32 arrays that the communicator allocates, so that a transport can
// share or register their memory; AllReduce of a bucket runs in the background while the backward
// pass fills the next one.
//
// Failure: when an edge breaks, a peer aborts, or Abort is called, every pending and later
// operation returns Aborted (or DataLoss for a damaged frame) with the first cause, naming rank and
// peer; the other ranks are told. Nothing waits for a time-out. A communicator that failed stays
// failed: a new generation makes a new one.
//
// The end: ranks leave after their last common operation (a Barrier, say) by destroying their
// communicators, in any order; a rank that still needs one that has left gets Aborted.
#ifndef RM_COMM_COLLECTIVE_COMMUNICATOR_H_
#define RM_COMM_COLLECTIVE_COMMUNICATOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace rm::comm {

// Counted since the communicator was made. Bytes are payload bytes on this rank's edges.
struct CommunicatorStats {
  int64_t bytes_sent = 0;
  int64_t bytes_received = 0;
  int64_t collectives = 0;
  absl::Duration waited;  // time callers spent inside WaitAll, SumInPlace, Broadcast and Barrier
};

// How many collectives a rank has entered (started) and left (ended, well or not) since it joined.
// Read by any thread without a lock, also while the communicator is stuck: a rank whose two numbers
// differ waits in a collective; the one that has entered fewest is the one that the others wait for.
struct CollectiveCounters {
  std::atomic<int64_t> entered{0};
  std::atomic<int64_t> left{0};
};

// One thread (the trainer's) calls everything but Abort and stats, which are thread-safe.
class Communicator {
 public:
  virtual ~Communicator() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int world_size() const = 0;

  // Allocates bucket i with elements[i] floats, zeroed, 64-byte aligned, owned by the communicator
  // and living as long as it does. Call once. The same sizes on every rank.
  [[nodiscard]] virtual absl::StatusOr<std::vector<absl::Span<float>>> AllocateBuckets(
      absl::Span<const int64_t> elements) = 0;

  // The same for exact mode (shard_tree.h): the batch is cut into `shards` virtual shards, and this
  // rank holds those of ShardsOf. Bucket i is the list of the sums of its maximal subtrees, each of
  // elements[i] floats; AllReduce(i) adds all ranks' along the fixed tree, and the result ends in the
  // last of them. InvalidArgument: fewer shards than ranks, or not a power of two.
  [[nodiscard]] virtual absl::StatusOr<std::vector<std::vector<absl::Span<float>>>>
  AllocateShardBuckets(absl::Span<const int64_t> elements, int shards) = 0;

  // Starts summing bucket `index` over all ranks, in place; returns at once. Every rank ends with
  // the same bits. The bucket may not be touched until WaitAll.
  // REQUIRES: index is valid and not already started.
  virtual void AllReduce(int index) = 0;

  // Waits for every started AllReduce; returns the first failure. After a failure the buckets'
  // contents are undefined.
  [[nodiscard]] virtual absl::Status WaitAll() = 0;

  // Sums a few values over all ranks at once (losses, counts, flags), in rank order: the same bits
  // everywhere. Blocking. The same size everywhere.
  [[nodiscard]] virtual absl::Status SumInPlace(absl::Span<double> values) = 0;

  // Copies root's bytes to every rank. Blocking. The same size everywhere.
  [[nodiscard]] virtual absl::Status Broadcast(absl::Span<char> bytes, int root) = 0;

  // Returns when every rank has called it.
  [[nodiscard]] virtual absl::Status Barrier() = 0;

  // Fails everything, here and on all peers, with `cause`. Thread-safe; the first cause wins.
  virtual void Abort(const absl::Status& cause) = 0;

  [[nodiscard]] virtual CommunicatorStats stats() const = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_COMMUNICATOR_H_
