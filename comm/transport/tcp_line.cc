#include "comm/transport/tcp_line.h"

#include <sys/socket.h>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "comm/transport/tcp_socket.h"

namespace rm::comm {
namespace {

// What is said on a line is short: a hello or an abort with its text.
constexpr size_t kTextBytesMax = kFrameTextBytesMax + 64;

}  // namespace

// What the socket does not take now goes out when it is ready, by Flush.
void TcpLine::Send(FrameKind kind, absl::string_view text) {
  if (!open() || finishing_) return;
  FrameHeader header;
  header.kind = kind;
  header.route = *route_;
  header.sequence = next_sent_++;
  header.payload_bytes = static_cast<uint32_t>(text.size());
  header.payload_crc = base::Crc32c(text);
  const auto head = EncodeFrameHeader(header);
  absl::StrAppend(&unsent_, absl::string_view(head.data(), head.size()), text);
  Flush();
}

// A write that fails is not reported: the same line ends for the reader too.
bool TcpLine::Flush() {
  while (open() && !unsent_.empty()) {
    const iovec piece = {unsent_.data(), unsent_.size()};
    const absl::StatusOr<size_t> written = WriteTcp(fd(), {&piece, 1});
    if (!written.ok()) unsent_.clear();
    if (!written.ok() || *written == 0) break;
    unsent_.erase(0, *written);
  }
  if (unsent_.empty() && finishing_ && open()) ::shutdown(fd(), SHUT_WR);
  return unsent_.empty();
}

// The end follows the last byte, also when that is not written yet.
void TcpLine::Finish() {
  finishing_ = true;
  Flush();
}

// True when so many bytes of the frame are here.
absl::StatusOr<bool> TcpLine::Fill(size_t bytes) {
  while (arrived_.size() < bytes) {
    const size_t had = arrived_.size();
    arrived_.resize(bytes);
    const absl::StatusOr<size_t> read = ReadTcp(fd(), &arrived_[had], bytes - had);
    arrived_.resize(had + (read.ok() ? *read : 0));
    if (!read.ok()) return read.status();
    if (*read == 0) return false;
  }
  return true;
}

// Header and payload are read as they come; a payload's size is checked before it is waited for.
absl::StatusOr<absl::optional<TcpControl>> TcpLine::Receive() {
  if (!header_.has_value()) {
    RM_ASSIGN_OR_RETURN(const bool whole, Fill(kFrameHeaderBytes));
    if (!whole) return absl::optional<TcpControl>();
    RM_ASSIGN_OR_RETURN(header_, ParseFrameHeader(arrived_));
    if (header_->kind == FrameKind::kData || header_->payload_bytes > kTextBytesMax) {
      return absl::DataLossError(absl::StrCat("a frame that does not belong on a line: ",
                                              FrameKindName(header_->kind), " of ",
                                              header_->payload_bytes, " bytes"));
    }
    arrived_.clear();
  }
  RM_ASSIGN_OR_RETURN(const bool whole, Fill(header_->payload_bytes));
  if (!whole) return absl::optional<TcpControl>();
  TcpControl frame{*header_, std::move(arrived_)};
  header_.reset();
  arrived_.clear();
  RM_RETURN_IF_ERROR(Check(frame.header, frame.text));
  ++next_received_;
  return absl::optional<TcpControl>(std::move(frame));
}

// As for the frames of any stream: whole, in order, of this membership.
absl::Status TcpLine::Check(const FrameHeader& header, absl::string_view payload) const {
  if (base::Crc32c(payload) != header.payload_crc) {
    return absl::DataLossError("damaged frame: its payload is not the one that was sent");
  }
  if (header.sequence != next_received_) {
    return absl::DataLossError(absl::StrCat("frame ", header.sequence, " came where frame ",
                                            next_received_, " was due: frames were lost"));
  }
  if (!route_.has_value()) return absl::OkStatus();
  const FrameRoute expected = {route_->job, route_->generation, route_->to, route_->from};
  if (header.route == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("a frame of another membership, from rank ",
                                          header.route.from, " in generation ",
                                          header.route.generation));
}

}  // namespace rm::comm
