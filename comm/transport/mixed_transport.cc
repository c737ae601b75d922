#include "comm/transport/mixed_transport.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace rm::comm {

MixedTransport::MixedTransport(const TransportMembership& membership,
                               std::vector<bool> shares_memory)
    : membership_(membership), shares_memory_(std::move(shares_memory)) {}

// A part that failed before this is found by its thread's first look.
void MixedTransport::Start(std::unique_ptr<Transport> by_network,
                           std::unique_ptr<Transport> by_memory) {
  parts_[0] = std::move(by_network);
  parts_[1] = std::move(by_memory);
  started_ = true;
  for (size_t part = 0; part < parts_.size(); ++part) {
    threads_[part] = std::thread([this, part] { ServePart(part); });
  }
}

// The threads end before the parts say goodbye; each part then serves itself while it leaves.
MixedTransport::~MixedTransport() {
  leaving_ = true;
  if (!started_) return;
  for (const auto& part : parts_) part->Wake();
  for (std::thread& thread : threads_) thread.join();
}

// Both threads look at their parts: the one that failed hands its cause to the other.
void MixedTransport::OnFailureOfPart() {
  if (!started_) return;
  for (const auto& part : parts_) part->Wake();
}

void MixedTransport::ServePart(size_t part) {
  ::pthread_setname_np(::pthread_self(), part == 0 ? "network edges" : "memory edges");
  while (!leaving_) {
    const absl::Status failure = parts_[part]->status();
    if (!failure.ok()) parts_[1 - part]->Abort(FirstCause(failure));
    parts_[part]->Serve();
  }
}

// Notes what is the first to be seen, and goes on to say that.
absl::Status MixedTransport::FirstCause(const absl::Status& cause) const {
  base::MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = cause;
  return failure_;
}

std::string MixedTransport::carriers() const {
  return absl::StrCat(parts_[0]->carriers(), "+", parts_[1]->carriers());
}

void MixedTransport::SetActivity(const Activity& activity) {
  for (const auto& part : parts_) part->SetActivity(activity);
}

void MixedTransport::Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
                          absl::optional<uint32_t> payload_crc) {
  PartFor(peer).Send(peer, tag, payload, payload_crc);
}

// A deadline that has passed is no failure, unless it is the cause of one.
absl::StatusOr<Frame> MixedTransport::Receive(int peer, absl::Time deadline) {
  absl::StatusOr<Frame> frame = PartFor(peer).Receive(peer, deadline);
  if (frame.ok()) return frame;
  const absl::Status failure = status();
  return failure.ok() ? frame.status() : failure;
}

absl::Status MixedTransport::Flush(absl::Time deadline) {
  absl::Status flushed;
  for (const auto& part : parts_) {
    if (flushed.ok()) flushed = part->Flush(deadline);
  }
  if (flushed.ok()) return flushed;
  const absl::Status failure = status();
  return failure.ok() ? flushed : failure;
}

// The parts are served by their own threads.
void MixedTransport::Serve() {
  base::MutexLock lock(mutex_);
  while (!woken_) woken_up_.Wait(mutex_);
  woken_ = false;
}

void MixedTransport::Wake() {
  base::MutexLock lock(mutex_);
  woken_ = true;
  woken_up_.SignalAll();
}

void MixedTransport::Abort(const absl::Status& cause) {
  const absl::Status first = FirstCause(cause);
  for (const auto& part : parts_) part->Abort(first);
}

absl::Status MixedTransport::status() const {
  for (const auto& part : parts_) {
    const absl::Status failure = part->status();
    if (!failure.ok()) return FirstCause(failure);
  }
  base::MutexLock lock(mutex_);
  return failure_;
}

TransportStats MixedTransport::stats() const {
  TransportStats sum;
  for (const auto& part : parts_) {
    const TransportStats moved = part->stats();
    sum.bytes_sent += moved.bytes_sent;
    sum.bytes_received += moved.bytes_received;
  }
  return sum;
}

}  // namespace rm::comm
