#include "comm/transport/shm_ring.h"

#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::comm {
namespace {

static_assert(std::atomic<uint64_t>::is_always_lock_free, "a lock would be of one process only");
static_assert(sizeof(ShmRingHead) <= kShmPageBytes, "the head is one page");

absl::Status Impossible(uint64_t written, uint64_t released) {
  return absl::DataLossError(absl::StrCat("damaged ring: ", written, " bytes written, ", released,
                                          " released, and it holds ", kShmRingBytes));
}

}  // namespace

absl::StatusOr<ShmMemory> CreateShmRing() {
  RM_ASSIGN_OR_RETURN(ShmMemory memory, ShmMemory::Create(kShmPageBytes, kShmRingBytes));
  new (memory.head()) ShmRingHead;
  return memory;
}

absl::StatusOr<ShmMemory> AdoptShmRing(Descriptor fd) {
  return ShmMemory::Adopt(std::move(fd), kShmPageBytes, kShmRingBytes);
}

absl::StatusOr<size_t> ShmRingWriter::Room() const {
  const uint64_t released = Head().released.load();
  const uint64_t used = appended_ - released;  // huge when the peer claims more than there was
  if (used > kShmRingBytes) return Impossible(appended_, released);
  return kShmRingBytes - static_cast<size_t>(used);
}

absl::StatusOr<size_t> ShmRingWriter::RoomAfterNote() const {
  Head().sender_waits.store(1);
  return Room();
}

// The second mapping of the body takes what wraps around.
char* ShmRingWriter::Leave(size_t bytes) {
  RM_CHECK(bytes <= kShmRingBytes, bytes, " bytes");
  char* const place = memory_.body() + appended_ % kShmRingBytes;
  appended_ += bytes;
  return place;
}

void ShmRingWriter::Append(absl::Span<const char> bytes) {
  char* const place = Leave(bytes.size());
  if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
}

absl::StatusOr<size_t> ShmRingReader::Readable() const {
  const uint64_t written = Head().written.load();
  base::MutexLock lock(mutex_);
  if (written - released_ > kShmRingBytes || written < taken_) {
    return Impossible(written, released_);
  }
  return static_cast<size_t>(written - taken_);
}

uint64_t ShmRingReader::Take(size_t bytes) {
  base::MutexLock lock(mutex_);
  taken_ += bytes;
  loans_.push_back({taken_, false});
  return taken_;
}

void ShmRingReader::Release(uint64_t place) {
  base::MutexLock lock(mutex_);
  for (Loan& loan : loans_) {
    if (loan.end == place) loan.returned = true;
  }
  while (!loans_.empty() && loans_.front().returned) {
    released_ = loans_.front().end;
    loans_.pop_front();
  }
  Head().released.store(released_);
  if (Head().sender_waits.load() != 0 && Head().sender_waits.exchange(0) != 0) {
    sender_->bell().Ring();
  }
}

}  // namespace rm::comm
