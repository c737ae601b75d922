// A rank writes only its own memory: its counts, its slots, its chunk of a bucket and, while it copies, the
// other chunks of its own bucket. What others may read of it at any moment follows from the counts:
//
//   slots of operation k          from its entering k until it enters k + 2
//   others' chunks of its bucket  from its entering until the others have finished adding: each reads only
//                                 its own chunk of it, and before it has counted that as reduced
//   its own chunk, reduced        from the count on, until all have finished
//
// A rank copies a chunk over what it had brought to it only after its owner has counted it as reduced,
// and so after the owner has read it.
#include "comm/collective/direct_collectives.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "comm/collective/ring_schedule.h"
#include "comm/collective/shard_tree.h"
#include "comm/collective/sum.h"

namespace rm::comm {
namespace {

// The windows of a rank.
constexpr int kControlWindow = 0;  // counts and slots
constexpr int kBucketWindow = 1;

constexpr size_t kCountBytes = 3 * 64;  // a cache line for each count
constexpr size_t kSlots = 2;
constexpr size_t kControlBytes = kCountBytes + kSlots * kDirectSlotBytes;

// What is added at once stays in a core's second cache until the others have copied it.
constexpr int64_t kSegmentFloats = (int64_t{256} << 10) / static_cast<int64_t>(sizeof(float));

constexpr size_t kBytesOfFloat = sizeof(float);

std::string Describe(const CollectiveId& id, uint64_t bytes) {
  return absl::StrCat(CollectiveName(id.kind), " ", id.ordinal, " (", bytes, " bytes)");
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectCollectives>> DirectCollectives::Open(Transport& transport) {
  static_assert(sizeof(Counts) == kCountBytes, "cache lines");
  static_assert(std::atomic<uint64_t>::is_always_lock_free, "a lock would be of one process only");
  RM_ASSIGN_OR_RETURN(const absl::Span<char> control, 
                      transport.windows()->Open(kControlWindow, kControlBytes));
  return std::unique_ptr<DirectCollectives>(new DirectCollectives(transport, control));
}

DirectCollectives::DirectCollectives(Transport& transport, absl::Span<char> control)
    : transport_(transport),
      windows_(*transport.windows()),
      rank_(static_cast<size_t>(transport.rank())),
      world_size_(static_cast<size_t>(transport.world_size())),
      counts_(*new (control.data()) Counts),
      slots_(control.data() + kCountBytes),
      sides_(world_size_) {
  sides_[rank_].counts = &counts_;
  sides_[rank_].slots = slots_;
}

// One without a meaning in fast mode: a rank's whole share.
std::vector<Subtree> DirectCollectives::SubtreesOf(size_t rank) const {
  if (shards_ == 0) return std::vector<Subtree>(1);
  return MaximalSubtrees(
      ShardsOf(shards_, static_cast<int>(world_size_), static_cast<int>(rank)));
}

// The sizes of a rank's spans, in their order.
std::vector<int64_t> DirectCollectives::SpansOf(size_t rank) const {
  std::vector<int64_t> spans;
  const size_t sums = SubtreesOf(rank).size();
  for (const int64_t elements : elements_) spans.insert(spans.end(), sums, elements);
  return spans;
}

// One window for all buckets: its size tells peers whether they mean the same.
absl::Status DirectCollectives::AllocateBuckets(absl::Span<const int64_t> elements, int shards) {
  if (!elements_.empty()) return absl::FailedPreconditionError("buckets are allocated once");
  if (shards > 0) RM_RETURN_IF_ERROR(CheckShards(shards, static_cast<int>(world_size_)));
  elements_.assign(elements.begin(), elements.end());
  shards_ = shards;
  for (size_t rank = 0; rank < world_size_; ++rank) sides_[rank].sums = SubtreesOf(rank).size();
  const std::vector<int64_t> spans = SpansOf(rank_);
  RM_ASSIGN_OR_RETURN(const FloatLayout layout, LayOutFloats(spans));
  if (layout.bytes == 0) return own_.Place({}, spans);
  RM_ASSIGN_OR_RETURN(const absl::Span<char> memory,
                      windows_.Open(kBucketWindow, layout.bytes));
  return own_.Place(memory, spans);
}

// Peers' counts and slots, once. A window of another size is another release's.
absl::Status DirectCollectives::FindSlots() {
  for (size_t rank = 0; rank < world_size_ && !slots_found_; ++rank) {
    if (rank == rank_) continue;
    RM_ASSIGN_OR_RETURN(const absl::Span<const char> control,
                        windows_.Of(static_cast<int>(rank), kControlWindow));
    if (control.size() != kControlBytes) {
      return absl::DataLossError("a peer's window for small operations has another size");
    }
    sides_[rank].counts = reinterpret_cast<const Counts*>(control.data());
    sides_[rank].slots = control.data() + kCountBytes;
  }
  slots_found_ = true;
  return absl::OkStatus();
}

// Where every rank's parts of every bucket lie; a peer that has allocated other sizes would be read
// out of bounds.
absl::Status DirectCollectives::FindBuckets() {
  if (buckets_found_) return absl::OkStatus();
  RM_RETURN_IF_ERROR(FindSlots());
  for (size_t rank = 0; rank < world_size_; ++rank) {
    RM_ASSIGN_OR_RETURN(const FloatLayout layout, LayOutFloats(SpansOf(rank)));
    const char* memory = nullptr;
    if (rank != rank_) {
      RM_ASSIGN_OR_RETURN(const absl::Span<const char> window,
                          windows_.Of(static_cast<int>(rank), kBucketWindow));
      if (window.size() != layout.bytes) {
        return absl::DataLossError("a peer has allocated buckets of other sizes");
      }
      memory = window.data();
    } else {
      memory = reinterpret_cast<const char*>(own_.spans()[0].data());
    }
    for (const size_t offset : layout.offsets) {
      sides_[rank].buckets.push_back(reinterpret_cast<const float*>(memory + offset));
    }
  }
  for (size_t bucket = 0; bucket < elements_.size(); ++bucket) {
    std::vector<DirectOperand> operands;
    for (size_t rank = 0; rank < world_size_; ++rank) {
      const std::vector<Subtree> subtrees = SubtreesOf(rank);
      for (size_t i = 0; i < subtrees.size(); ++i) {
        operands.push_back({sides_[rank].buckets[bucket * subtrees.size() + i], subtrees[i]});
      }
    }
    operands_.push_back(std::move(operands));
  }
  buckets_found_ = true;
  return absl::OkStatus();
}

// This rank's own count among them: it is there already.
absl::Status DirectCollectives::AwaitAll(std::atomic<uint64_t> Counts::*count, uint64_t least) {
  return windows_.WaitUntil([&] {
    for (const Side& side : sides_) {
      if ((side.counts->*count).load() < least) return false;
    }
    return true;
  });
}

// In this order: who is woken by the ring sees the count.
void DirectCollectives::Publish(std::atomic<uint64_t> Counts::*count, uint64_t value) {
  (counts_.*count).store(value);
  windows_.Ring();
}

// A peer's note is the one of this operation: it cannot come to the one after the next before this
// rank has come to the next.
absl::Status DirectCollectives::Meet(const CollectiveId& id, size_t bytes) {
  RM_RETURN_IF_ERROR(FindSlots());
  ++entered_;
  Note& own = counts_.notes[entered_ % kSlots];
  own.kind.store(static_cast<uint64_t>(id.kind), std::memory_order_relaxed);
  own.ordinal.store(id.ordinal, std::memory_order_relaxed);
  own.bytes.store(bytes, std::memory_order_relaxed);
  Publish(&Counts::entered, entered_);
  RM_RETURN_IF_ERROR(AwaitAll(&Counts::entered, entered_));
  for (size_t rank = 0; rank < world_size_; ++rank) {
    const Note& theirs = sides_[rank].counts->notes[entered_ % kSlots];
    const CollectiveId their_id = {static_cast<CollectiveKind>(theirs.kind.load()),
                                   theirs.ordinal.load()};
    const uint64_t their_bytes = theirs.bytes.load();
    if (their_id.kind == id.kind && their_id.ordinal == id.ordinal && their_bytes == bytes) {
      continue;
    }
    transport_.Abort(absl::AbortedError(absl::StrCat(
        "the ranks do not agree on what to do: rank ", rank, " is in ",
        Describe(their_id, their_bytes), ", rank ", rank_, " in ", Describe(id, bytes))));
    return transport_.status();
  }
  return absl::OkStatus();
}

// The slot is free: everybody has been seen in the operation before, so nobody reads the one before that.
absl::Status DirectCollectives::Exchange(const CollectiveId& id, absl::Span<const char> bytes) {
  RM_CHECK(bytes.size() <= kDirectSlotBytes, bytes.size(), " bytes in a slot");
  if (!bytes.empty()) {
    std::memcpy(slots_ + ((entered_ + 1) % kSlots) * kDirectSlotBytes, bytes.data(), bytes.size());
  }
  bytes_read_ += static_cast<int64_t>(bytes.size() * (world_size_ - 1));
  return Meet(id, bytes.size());
}

// Of the operation that was entered last.
const char* DirectCollectives::SlotOf(size_t rank) const {
  return sides_[rank].slots + (entered_ % kSlots) * kDirectSlotBytes;
}

// As doubles, from rank 0 on: the order in which every rank adds, so that all have the same bits.
absl::Status DirectCollectives::Sum(const CollectiveId& id, absl::Span<double> values) {
  RM_RETURN_IF_ERROR(Exchange(id, absl::MakeConstSpan(reinterpret_cast<const char*>(values.data()),
                                                  values.size() * sizeof(double))));
  for (size_t i = 0; i < values.size(); ++i) {
    double sum = 0;
    for (size_t rank = 0; rank < world_size_; ++rank) {
      double value = 0;
      std::memcpy(&value, SlotOf(rank) + i * sizeof(double), sizeof(double));
      sum = rank == 0 ? value : sum + value;
    }
    values[i] = sum;
  }
  return absl::OkStatus();
}

// What was in the bucket lies in the slot: so the bucket takes the sum, and nobody reads it.
absl::Status DirectCollectives::AllReduceSlots(const CollectiveId& id, size_t bucket) {
  const absl::Span<float> out = own_.spans()[bucket];
  RM_RETURN_IF_ERROR(Exchange(id, absl::MakeConstSpan(reinterpret_cast<const char*>(out.data()),
                                                  out.size() * kBytesOfFloat)));
  static const AddFloatsFunction add = AddFloats();
  std::memcpy(out.data(), SlotOf(0), out.size() * kBytesOfFloat);
  for (size_t rank = 1; rank < world_size_; ++rank) {
    add(out.data(), SlotOf(rank), static_cast<int64_t>(out.size()));
  }
  return absl::OkStatus();
}

// By the size, and by the mode: exact mode adds along its tree, which slots have no room for.
absl::Status DirectCollectives::AllReduce(const CollectiveId& id, int bucket) {
  const auto index = static_cast<size_t>(bucket);
  const size_t bytes = static_cast<size_t>(elements_[index]) * kBytesOfFloat;
  if (bytes == 0) return Meet(id, 0);
  return shards_ == 0 && bytes <= kDirectSlotBytes ? AllReduceSlots(id, index)
                                                   : AllReduceChunks(id, index);
}

// Nobody reads a part before all have entered, and nobody writes one before all have finished: a rank
// adds into its own chunk only, which the others read as soon as it is counted.
absl::Status DirectCollectives::AllReduceChunks(const CollectiveId& id, size_t bucket) {
  RM_RETURN_IF_ERROR(Meet(id, static_cast<size_t>(elements_[bucket]) * kBytesOfFloat));
  RM_RETURN_IF_ERROR(FindBuckets());
  BeginCopies(elements_[bucket]);
  ++started_;
  ReduceOwnChunk(bucket);
  RM_RETURN_IF_ERROR(windows_.WaitUntil([&] { return CopyReady(bucket); }));
  Publish(&Counts::finished, started_);
  return absl::OkStatus();
}

// Every rank knows how many segments every other adds.
void DirectCollectives::BeginCopies(int64_t elements) {
  for (size_t rank = 0; rank < world_size_; ++rank) {
    Side& side = sides_[rank];
    side.segments_before += static_cast<uint64_t>(side.segments);
    side.segments = SegmentCount(
        ChunkOf(elements, static_cast<int>(world_size_), static_cast<int>(rank)), kSegmentFloats);
    side.copied = rank == rank_ ? side.segments : 0;
  }
}

// Between two segments of its own a rank copies what the others have ready: it is fresh in a cache.
void DirectCollectives::ReduceOwnChunk(size_t bucket) {
  const Range chunk = ChunkOf(elements_[bucket], static_cast<int>(world_size_),
                              static_cast<int>(rank_));
  float* const out = own_.spans()[ResultOf(rank_, bucket)].data();
  const Side& own = sides_[rank_];
  for (int64_t segment = 0; segment < own.segments; ++segment) {
    const Range range = SegmentOf(chunk, kSegmentFloats, segment);
    if (shards_ == 0) {
      sum_.InOrder(operands_[bucket], range.begin, range.end, out);
    } else {
      sum_.AlongTree(operands_[bucket], range.begin, range.end, out);
    }
    Publish(&Counts::reduced, own.segments_before + static_cast<uint64_t>(segment) + 1);
    static_cast<void>(CopyReady(bucket));
  }
  const auto others = static_cast<int64_t>(operands_[bucket].size() - sides_[rank_].sums);
  bytes_read_ += others * chunk.size() * static_cast<int64_t>(kBytesOfFloat);
}

// Called again and again while this rank waits: it goes on where it left off, rank by rank.
bool DirectCollectives::CopyReady(size_t bucket) {
  float* const out = own_.spans()[ResultOf(rank_, bucket)].data();
  bool all = true;
  for (size_t rank = 0; rank < world_size_; ++rank) {
    Side& side = sides_[rank];
    if (side.copied == side.segments) continue;
    const Range chunk = ChunkOf(elements_[bucket], static_cast<int>(world_size_),
                                static_cast<int>(rank));
    const float* const result = side.buckets[ResultOf(rank, bucket)];
    const uint64_t reduced = side.counts->reduced.load();
    while (side.copied < side.segments &&
           side.segments_before + static_cast<uint64_t>(side.copied) < reduced) {
      const Range range = SegmentOf(chunk, kSegmentFloats, side.copied);
      const auto bytes = static_cast<size_t>(range.size()) * kBytesOfFloat;
      std::memcpy(out + range.begin, result + range.begin, bytes);
      bytes_read_ += static_cast<int64_t>(bytes);
      ++side.copied;
    }
    all = all && side.copied == side.segments;
  }
  return all;
}

// Before the first bucket there is nothing to wait for, and no peer may have come.
absl::Status DirectCollectives::Flush() {
  return started_ == 0 ? absl::OkStatus() : AwaitAll(&Counts::finished, started_);
}

}  // namespace rm::comm
