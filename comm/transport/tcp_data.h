// The two ends of the connection that carries an edge's data frames, one behind the other.
#ifndef RM_COMM_TRANSPORT_TCP_DATA_H_
#define RM_COMM_TRANSPORT_TCP_DATA_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/descriptor.h"
#include "comm/transport/frame.h"

namespace rm::comm {

// A frame that waits to be written: its payload is the caller's memory.
struct TcpOutgoing {
  FrameTag tag;
  absl::Span<const char> payload;
  absl::optional<uint32_t> payload_crc;
};

// The sending end. Header and payload leave in one call, straight from the caller's memory.
// Thread-compatible; nothing here waits.
class TcpSender {
 public:
  // `preamble`: what the connection begins with. Frames that were queued before follow.
  void Open(Descriptor socket, const FrameRoute& route, std::string preamble);
  [[nodiscard]] bool open() const { return socket_.open(); }
  [[nodiscard]] int fd() const { return socket_.get(); }

  void Queue(const TcpOutgoing& frame) { waiting_.push_back(frame); }
  // Writes as much as the socket takes. Unavailable when the connection is broken.
  [[nodiscard]] absl::Status Pump();
  // The kernel has everything.
  [[nodiscard]] bool written() const { return waiting_.empty() && preamble_.empty(); }
  // Forgets what waits.
  void Discard();
  void Close() { socket_.Close(); }

  [[nodiscard]] uint64_t frames_sent() const { return next_sent_; }
  [[nodiscard]] int64_t bytes_sent() const { return bytes_sent_; }

 private:
  // The frames that go out together: encoded, some of the first one's bytes gone already.
  static constexpr size_t kTogether = 4;

  [[nodiscard]] bool MayEncode() const;
  void EncodeNext();
  void Forget(size_t bytes);

  Descriptor socket_;
  FrameRoute route_;
  std::string preamble_;
  std::deque<TcpOutgoing> waiting_;
  std::deque<std::array<char, kFrameHeaderBytes>> headers_;  // of the first ones that wait
  size_t gone_ = 0;                                           // bytes of the first one
  uint64_t next_sent_ = 0;
  int64_t bytes_sent_ = 0;
};

// The receiving end: a piece of memory that bytes come into and are used from. Thread-compatible.
class TcpReceiver {
 public:
  TcpReceiver();

  void Open(Descriptor socket);
  [[nodiscard]] bool open() const { return socket_.open(); }
  [[nodiscard]] int fd() const { return socket_.get(); }
  void Close() { socket_.Close(); }

  // The socket may have something again.
  void SetReady() { ready_ = true; }

  // Takes in what is there, as far as there is room, until `enough` bytes lie here: so many do.
  // Unavailable when the connection is broken. At its end fewer lie here, and ended() is true.
  [[nodiscard]] absl::StatusOr<size_t> Fill(size_t enough);
  [[nodiscard]] bool ended() const { return ended_; }

  // What has come and is not used; stays where it is until the next Fill.
  [[nodiscard]] absl::Span<const char> bytes() const {
    return absl::MakeSpan(memory_).subspan(begin_, end_ - begin_);
  }
  void Use(size_t bytes) { begin_ += bytes; }

 private:
  Descriptor socket_;
  std::vector<char> memory_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool ready_ = true;
  bool ended_ = false;
};

// The most that a receiver holds; payloads up to a quarter of it are handed out whole.
constexpr size_t kTcpBufferBytes = size_t{256} << 10;
constexpr size_t kTcpWholeBytesMax = kTcpBufferBytes / 4;

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TCP_DATA_H_
