// The windows of a shared-memory transport (shared_windows.h): its own memory and what it has mapped
// of its peers'. Made by ShmTransport only, which holds the lines on which descriptors are passed.
#ifndef RM_COMM_TRANSPORT_SHM_WINDOWS_H_
#define RM_COMM_TRANSPORT_SHM_WINDOWS_H_

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "base/mutex.h"
#include "comm/transport/descriptor.h"
#include "comm/transport/shared_windows.h"
#include "comm/transport/shm_doorbell.h"
#include "comm/transport/shm_hub.h"
#include "comm/transport/shm_memory.h"

namespace rm::comm {

// What a window's descriptor travels with: its number and its size.
struct WindowNotice {
  int window = 0;
  size_t bytes = 0;
};
[[nodiscard]] std::string EncodeWindowNotice(const WindowNotice& notice);
// DataLoss for what no rank can have sent.
[[nodiscard]] absl::StatusOr<WindowNotice> ParseWindowNotice(absl::string_view payload);

// Methods marked "locked" are called with the hub's mutex held.
class ShmWindows final : public SharedWindows {
 public:
  struct Membership {
    int rank = 0;
    std::vector<int> peers;  // that share
    // Called, locked, for a window that was opened just now: its descriptor is due on the lines.
    std::function<void()> on_open;
    // Called, not locked, when nothing more will come: why. Never OK.
    std::function<absl::Status()> why_stopped;
  };

  ShmWindows(ShmHub& hub, SharedDoorbell bell, Membership membership);

  [[nodiscard]] absl::Span<const int> ranks() const override { return ranks_; }
  [[nodiscard]] absl::StatusOr<absl::Span<char>> Open(int window, size_t bytes) override;
  [[nodiscard]] absl::StatusOr<absl::Span<const char>> Of(int rank, int window) override;
  void Ring() override;
  [[nodiscard]] absl::Status WaitUntil(absl::FunctionRef<bool()> done) override;

  // What peers ring to wake a WaitUntil of this rank.
  [[nodiscard]] const SharedDoorbell& bell() const { return bell_; }

  // Locked. What to tell peers of the n-th window opened; nothing beyond the last.
  struct Opened {
    WindowNotice notice;
    int fd = -1;
  };
  [[nodiscard]] absl::optional<Opened> OpenedAt(size_t n) const;

  // Locked. What a peer has sent: its bell, and then its windows as they are opened.
  [[nodiscard]] absl::Status TakeBell(int peer, Descriptor fd);
  [[nodiscard]] absl::Status TakeWindow(int peer, absl::string_view notice, Descriptor fd);

  // Locked. Ends every WaitUntil that is not done, now and later.
  void Stop();

 private:
  // What is known of a peer. The bell is set before any window; both stay as they are once set.
  struct Peer {
    std::unique_ptr<SharedDoorbell> bell;
    std::atomic<Doorbell*> rung{nullptr};  // of `bell`, for Ring, which takes no lock
    std::array<std::unique_ptr<ShmMemory>, kSharedWindowsMax> memory;
    std::array<size_t, kSharedWindowsMax> bytes{};
  };

  ShmHub& hub_;
  const SharedDoorbell bell_;
  const Membership membership_;
  std::vector<int> ranks_;
  std::vector<Peer> peers_;            // by rank, as far as the largest one
  std::vector<Opened> opened_;         // locked
  std::vector<ShmMemory> own_;         // locked; of opened_
  std::atomic<bool> stopped_{false};
  SpinBudget spins_;  // of whoever is in WaitUntil
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_WINDOWS_H_
