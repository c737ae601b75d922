// One membership whose edges go two ways: some by gRPC, some through shared memory. Made by
// AutoEndpoint (auto_endpoint.h) where a rank has edges of both kinds.
//
// Each part is a whole transport with its own edges and its own way to wait. A thread for each serves
// it whatever the caller waits for, so that frames go out and aborts come in by one while the caller
// is inside the other; and a failure of one part becomes that of the other, with the same cause.
#ifndef RM_COMM_TRANSPORT_MIXED_TRANSPORT_H_
#define RM_COMM_TRANSPORT_MIXED_TRANSPORT_H_

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "comm/transport/transport.h"

namespace rm::comm {

class MixedTransport final : public Transport {
 public:
  // `shares_memory`: by rank, the peers whose edges are those of the part for memory.
  MixedTransport(const TransportMembership& membership, std::vector<bool> shares_memory);
  ~MixedTransport() override;

  // Takes the parts and begins to serve them. Their Serve may run beside their other calls, as it may
  // in gRPC's and shared memory's transports. Call once, or destroy without.
  // REQUIRES: the parts' on_failure calls OnFailureOfPart.
  void Start(std::unique_ptr<Transport> by_network, std::unique_ptr<Transport> by_memory);

  // Thread-safe, without a lock; does nothing before Start.
  void OnFailureOfPart();

  [[nodiscard]] int rank() const override { return membership_.rank; }
  [[nodiscard]] int world_size() const override {
    return static_cast<int>(membership_.addresses.size());
  }
  [[nodiscard]] std::string carriers() const override;
  void SetActivity(const Activity& activity) override;
  void Send(int peer, const FrameTag& tag, absl::Span<const char> payload,
            absl::optional<uint32_t> payload_crc) override;
  [[nodiscard]] absl::StatusOr<Frame> Receive(int peer, absl::Time deadline) override;
  [[nodiscard]] absl::Status Flush(absl::Time deadline) override;
  void Serve() override;
  void Wake() override;
  void Abort(const absl::Status& cause) override;
  [[nodiscard]] absl::Status status() const override;
  [[nodiscard]] TransportStats stats() const override;
  [[nodiscard]] SharedWindows* windows() override { return parts_[1]->windows(); }

 private:
  [[nodiscard]] Transport& PartFor(int peer) const {
    return *parts_[shares_memory_[static_cast<size_t>(peer)] ? 1 : 0];
  }
  void ServePart(size_t part);
  [[nodiscard]] absl::Status FirstCause(const absl::Status& cause) const;

  const TransportMembership membership_;
  const std::vector<bool> shares_memory_;
  std::array<std::unique_ptr<Transport>, 2> parts_;  // by network, by memory
  std::array<std::thread, 2> threads_;
  std::atomic<bool> started_{false};
  std::atomic<bool> leaving_{false};

  mutable base::Mutex mutex_;
  base::CondVar woken_up_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  mutable absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // the cause that was seen first
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_MIXED_TRANSPORT_H_
