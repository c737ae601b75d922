// Memory that ranks of one machine read of each other where it lies, without a frame in between.
//
// A rank opens windows: memory of its own that its peers see and cannot write. What the ranks keep in
// them, and which counts in them say that something is ready, is theirs to agree on
// (comm/collective/direct_collectives.h). Each rank has a bell that its peers ring when they have
// changed something in a window of theirs:
//
//   writer: values, then a count (an atomic store), then Ring()
//   reader: WaitUntil([&] { return its_count.load() >= wanted; }), then values
//
// Nothing that is read here has a CRC: it has not travelled.
//
// The memory lives as long as a rank has it open, so that a peer that dies, or leaves, takes nothing
// from under a reader.
#ifndef RM_COMM_TRANSPORT_SHARED_WINDOWS_H_
#define RM_COMM_TRANSPORT_SHARED_WINDOWS_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace rm::comm {

// Windows of one rank are numbered from 0; a rank may leave numbers out.
constexpr int kSharedWindowsMax = 8;

// The windows of one membership; belongs to its transport, and so does the memory of its own ones.
// One thread at a time calls anything here; it may be another than the one inside the transport.
class SharedWindows {
 public:
  virtual ~SharedWindows() = default;

  // The ranks that can read each other's windows here, in ascending order, this one included. It is
  // what this rank knows: a peer may reach others than this one does.
  [[nodiscard]] virtual absl::Span<const int> ranks() const = 0;

  // Opens window `window` with `bytes` of memory, zeroed, at a page's beginning. ResourceExhausted or
  // Unavailable when the machine has no memory. REQUIRES: not opened before; bytes > 0.
  [[nodiscard]] virtual absl::StatusOr<absl::Span<char>> Open(int window, size_t bytes) = 0;

  // A peer's window, as soon as the peer has opened it. Fails as WaitUntil does.
  // REQUIRES: `rank` is one of ranks(), and not this one.
  [[nodiscard]] virtual absl::StatusOr<absl::Span<const char>> Of(int rank, int window) = 0;

  // Makes every peer that waits look again. What was stored before is seen by whoever looks.
  virtual void Ring() = 0;

  // Returns OK when done() has said so; the transport's failure when it fails before, and Aborted
  // (which fails it) when a peer has left before. done() is called at once and after every ring, on
  // this thread.
  [[nodiscard]] virtual absl::Status WaitUntil(absl::FunctionRef<bool()> done) = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHARED_WINDOWS_H_
