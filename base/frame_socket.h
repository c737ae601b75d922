// Whole messages over a stream socket: a 4-byte little-endian length, then the bytes.
//
// A worker and its rank processes talk in such frames over a Unix socket pair (proto/rank.proto). The functions block,
// retry interrupted calls, and never raise SIGPIPE. A file descriptor may have one reading and one writing thread.
#ifndef RM_BASE_FRAME_SOCKET_H_
#define RM_BASE_FRAME_SOCKET_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rm::base {

// The longest frame either side accepts: a job's spec with its lineage is far below.
inline constexpr uint32_t kFrameBytesMax = 16U << 20;

// Sends one frame. Unavailable when the other end is gone; InvalidArgument above kFrameBytesMax.
[[nodiscard]] absl::Status WriteFrame(int fd, absl::string_view bytes);

// Receives one frame. OutOfRange at an orderly end of the stream between frames; DataLoss when it ends inside one or
// announces more than kFrameBytesMax.
[[nodiscard]] absl::StatusOr<std::string> ReadFrame(int fd);

}  // namespace rm::base

#endif  // RM_BASE_FRAME_SOCKET_H_
