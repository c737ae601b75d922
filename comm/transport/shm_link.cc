#include "comm/transport/shm_link.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "comm/transport/shm_socket.h"

namespace rm::comm {
namespace {

// The number is the version of what lies in the shared memory.
constexpr absl::string_view kGreeting = "ringmaster shared memory 1";

// What `fd` has for us, or 0 when nothing came in time.
int Poll(int fd, int events, absl::Duration patience) {
  pollfd polled = {fd, static_cast<decltype(pollfd::events)>(events), 0};
  const auto milliseconds = static_cast<int>(absl::ToInt64Milliseconds(patience));
  return ::poll(&polled, 1, milliseconds) > 0 ? polled.revents : 0;
}

}  // namespace

ShmLink ShmLink::Answer(Descriptor socket) {
  ShmLink link;
  link.socket_ = std::move(socket);
  static_cast<void>(SendPacket(link.fd(), kGreeting, {}));
  return link;
}

ShmLink ShmLink::Dial(Descriptor socket, const FrameRoute& route) {
  ShmLink link;
  link.socket_ = std::move(socket);
  link.route_ = route;
  link.greeted_ = false;
  return link;
}

// A send that fails is not reported: the same line ends for the reader too.
void ShmLink::Send(FrameKind kind, absl::string_view text, absl::Span<const int> descriptors) {
  if (!open()) return;
  FrameHeader header;
  header.kind = kind;
  header.route = *route_;
  header.sequence = next_sent_++;
  header.payload_bytes = static_cast<uint32_t>(text.size());
  header.payload_crc = base::Crc32c(text);
  const auto head = EncodeFrameHeader(header);
  const std::string packet =
      absl::StrCat(absl::string_view(head.data(), head.size()), text);
  static_cast<void>(SendPacket(fd(), packet, descriptors));
}

absl::StatusOr<absl::optional<ControlFrame>> ShmLink::Receive() {
  RM_ASSIGN_OR_RETURN(absl::optional<Packet> packet, ReceivePacket(fd()));
  if (packet.has_value() && !greeted_) {
    if (packet->bytes != kGreeting) {
      return absl::FailedPreconditionError(
          "the peer shares memory in another way: run the same release on all workers");
    }
    greeted_ = true;
    RM_ASSIGN_OR_RETURN(packet, ReceivePacket(fd()));
  }
  if (!packet.has_value()) return absl::optional<ControlFrame>();
  ControlFrame frame;
  RM_ASSIGN_OR_RETURN(frame.header, ParseFrameHeader(packet->bytes));
  frame.text = packet->bytes.substr(kFrameHeaderBytes);
  RM_RETURN_IF_ERROR(Check(frame.header, frame.text));
  frame.descriptors = std::move(packet->descriptors);
  ++next_received_;
  return absl::optional<ControlFrame>(std::move(frame));
}

// As for the frames of any stream: whole, in order, of this membership.
absl::Status ShmLink::Check(const FrameHeader& header, absl::string_view payload) const {
  if (payload.size() != header.payload_bytes || base::Crc32c(payload) != header.payload_crc) {
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

bool ShmLink::HasHungUp() const {
  return (Poll(fd(), 0, absl::ZeroDuration()) & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

// A close alone would not be heard while another thread polls the socket.
void ShmLink::Close() {
  if (!open()) return;
  ::shutdown(fd(), SHUT_RDWR);
  socket_.Close();
}

bool MayShareMemory(absl::string_view name, absl::Duration patience) {
  const absl::StatusOr<Descriptor> socket = ConnectTo(name);
  if (!socket.ok() || !IsOfSameUser(socket->get())) return false;
  if (Poll(socket->get(), POLLIN, patience) == 0) return false;
  const absl::StatusOr<absl::optional<Packet>> greeting = ReceivePacket(socket->get());
  return greeting.ok() && greeting->has_value() && (*greeting)->bytes == kGreeting;
}

}  // namespace rm::comm
