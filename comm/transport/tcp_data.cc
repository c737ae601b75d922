#include "comm/transport/tcp_data.h"

#include <sys/uio.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "comm/transport/tcp_socket.h"

namespace rm::comm {
namespace {

constexpr size_t kSmallBytes = size_t{32} << 10;

}  // namespace

// What was queued before goes out behind the preamble, by the next Pump.
void TcpSender::Open(Descriptor socket, const FrameRoute& route, std::string preamble) {
  socket_ = std::move(socket);
  route_ = route;
  preamble_ = std::move(preamble);
}

void TcpSender::Discard() {
  waiting_.clear();
  headers_.clear();
  preamble_.clear();
  gone_ = 0;
}

// Small frames go out together. A large one alone: the CRC of the next would only push its bytes out of
// the cache before the kernel has read them.
bool TcpSender::MayEncode() const {
  const size_t next = headers_.size();
  if (next == waiting_.size() || next == kTogether) return false;
  return next == 0 || (waiting_[next - 1].payload.size() <= kSmallBytes &&
                       waiting_[next].payload.size() <= kSmallBytes);
}

// The header of the next frame that has none. The CRC is computed as late as this, when its bytes are
// about to be read by the kernel anyway.
void TcpSender::EncodeNext() {
  const TcpOutgoing& frame = waiting_[headers_.size()];
  FrameHeader header;
  header.tag = frame.tag;
  header.route = route_;
  header.sequence = next_sent_++;
  header.payload_bytes = static_cast<uint32_t>(frame.payload.size());
  header.payload_crc = frame.payload_crc.has_value()
                           ? *frame.payload_crc
                           : base::Crc32c(frame.payload.data(), frame.payload.size());
  headers_.push_back(EncodeFrameHeader(header));
}

// Header and payload in one call, and several small frames too: a system call each would cost more than
// their bytes.
absl::Status TcpSender::Pump() {
  while (open() && !written()) {
    while (MayEncode()) EncodeNext();
    std::array<iovec, 1 + 2 * kTogether> pieces;
    size_t count = 0;
    size_t skip = gone_;
    const auto add = [&](absl::Span<const char> bytes) {
      const size_t gone = std::min(skip, bytes.size());
      skip -= gone;
      bytes.remove_prefix(gone);
      if (!bytes.empty()) {
        pieces[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
      }
    };
    // The preamble is short and the first thing said: the socket takes it whole, with what follows.
    if (!preamble_.empty()) pieces[count++] = {&preamble_[0], preamble_.size()};
    for (size_t i = 0; i < headers_.size(); ++i) {
      add(headers_[i]);
      add(waiting_[i].payload);
    }
    RM_ASSIGN_OR_RETURN(const size_t written,
                        WriteTcp(fd(), absl::MakeSpan(pieces).subspan(0, count)));
    if (written == 0) return absl::OkStatus();
    Forget(written);
  }
  return absl::OkStatus();
}

// Bytes that the kernel has taken.
void TcpSender::Forget(size_t bytes) {
  const size_t of_preamble = std::min(bytes, preamble_.size());
  preamble_.erase(0, of_preamble);
  gone_ += bytes - of_preamble;
  while (!headers_.empty()) {
    const size_t payload = waiting_.front().payload.size();
    if (gone_ < kFrameHeaderBytes + payload) return;
    gone_ -= kFrameHeaderBytes + payload;
    bytes_sent_ += static_cast<int64_t>(payload);
    headers_.pop_front();
    waiting_.pop_front();
  }
}

TcpReceiver::TcpReceiver() = default;

// Memory for edges that are used only.
void TcpReceiver::Open(Descriptor socket) {
  socket_ = std::move(socket);
  memory_.resize(kTcpBufferBytes);
}

// Reads as much as there is room for, not only what is asked for: the next header comes along. What is
// left of the bytes before moves to the front only when there is no room behind it.
absl::StatusOr<size_t> TcpReceiver::Fill(size_t enough) {
  RM_CHECK(enough <= kTcpBufferBytes, enough, " bytes never lie here");
  if (begin_ == end_) begin_ = end_ = 0;
  if (memory_.size() - begin_ < enough) {
    std::memmove(memory_.data(), memory_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (ready_ && !ended_ && end_ - begin_ < enough) {
    const absl::StatusOr<size_t> read =
        ReadTcp(fd(), memory_.data() + end_, memory_.size() - end_);
    if (absl::IsOutOfRange(read.status())) ended_ = true;
    if (!read.ok() && !ended_) return read.status();
    if (ended_) break;
    if (*read == 0) ready_ = false;
    end_ += *read;
  }
  return end_ - begin_;
}

}  // namespace rm::comm
