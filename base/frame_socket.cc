#include "base/frame_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::base {
namespace {

constexpr size_t kHeaderBytes = 4;

absl::Status SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return ErrnoStatus(errno, "send to the other end");
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return absl::OkStatus();
}

// Bytes read before the stream ended: `size`, or fewer.
absl::StatusOr<size_t> ReceiveAll(int fd, char* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::recv(fd, data + done, size - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ECONNRESET) return ErrnoStatus(errno, "receive from the other end");
    if (got <= 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

}  // namespace

absl::Status WriteFrame(int fd, absl::string_view bytes) {
  if (bytes.size() > kFrameBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a frame of ", bytes.size(), " bytes is above the limit of ", kFrameBytesMax));
  }
  std::array<char, kHeaderBytes> header;
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    header[i] = static_cast<char>((bytes.size() >> (8 * i)) & 0xFF);
  }
  RM_RETURN_IF_ERROR(SendAll(fd, header.data(), header.size()));
  return SendAll(fd, bytes.data(), bytes.size());
}

absl::StatusOr<std::string> ReadFrame(int fd) {
  std::array<char, kHeaderBytes> header;
  RM_ASSIGN_OR_RETURN(const size_t got, ReceiveAll(fd, header.data(), header.size()));
  if (got == 0) return absl::OutOfRangeError("the other end has closed the stream");
  if (got < kHeaderBytes) return absl::DataLossError("the stream ended inside a frame's length");
  uint32_t size = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    size |= static_cast<uint32_t>(static_cast<unsigned char>(header[i])) << (8 * i);
  }
  if (size > kFrameBytesMax) {
    return absl::DataLossError(
        absl::StrCat("a frame announces ", size, " bytes, the limit is ", kFrameBytesMax));
  }
  std::string bytes(size, '\0');
  RM_ASSIGN_OR_RETURN(const size_t body, ReceiveAll(fd, bytes.data(), size));
  if (body < size) {
    return absl::DataLossError(
        absl::StrCat("the stream ended after ", body, " of a frame's ", size, " bytes"));
  }
  return bytes;
}

}  // namespace rm::base
