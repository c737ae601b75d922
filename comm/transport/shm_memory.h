// Memory that processes of one machine share, without a name and without a file.
//
// It is a memfd: it lives as long as a process has it mapped or open, so that nothing is left behind
// whatever dies. A peer gets it as a descriptor over a socket (shm_socket.h). Its size is sealed: a
// peer that shrinks it would kill this process with SIGBUS at the next access.
//
// A piece has a head and a body. The body is mapped twice in a row, so that what wraps around its
// end lies in one piece all the same:
//
//   | head | body | body again |
//
#ifndef RM_COMM_TRANSPORT_SHM_MEMORY_H_
#define RM_COMM_TRANSPORT_SHM_MEMORY_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "comm/transport/descriptor.h"

namespace rm::comm {

// Sizes of head and body are multiples of it.
constexpr size_t kShmPageBytes = 4096;

// Movable; the mapping goes with the object. What lies in the memory is the users' to agree on.
class ShmMemory {
 public:
  // New memory, zeroed and really there: ResourceExhausted or Unavailable when the machine has none.
  // REQUIRES: sizes are multiples of kShmPageBytes, head_bytes > 0.
  [[nodiscard]] static absl::StatusOr<ShmMemory> Create(size_t head_bytes, size_t body_bytes);

  // The memory behind a descriptor that a peer has sent. DataLoss unless it is of exactly this size
  // and sealed.
  [[nodiscard]] static absl::StatusOr<ShmMemory> Adopt(Descriptor fd, size_t head_bytes,
                                                       size_t body_bytes);

  // The same for memory without a body that this process must not write: a write would end it.
  [[nodiscard]] static absl::StatusOr<ShmMemory> AdoptToRead(Descriptor fd, size_t bytes);

  ShmMemory(ShmMemory&& other) noexcept;
  ShmMemory& operator=(ShmMemory&& other) = delete;
  ~ShmMemory();

  // What to send to a peer.
  [[nodiscard]] int fd() const { return fd_.get(); }

  [[nodiscard]] char* head() const { return head_; }
  // body()[i] and body()[i + body_bytes()] are the same byte.
  [[nodiscard]] char* body() const { return head_ + head_bytes_; }
  [[nodiscard]] size_t body_bytes() const { return body_bytes_; }

 private:
  ShmMemory(Descriptor fd, char* head, size_t head_bytes, size_t body_bytes)
      : fd_(std::move(fd)), head_(head), head_bytes_(head_bytes), body_bytes_(body_bytes) {}
  [[nodiscard]] static absl::Status Check(const Descriptor& fd, size_t bytes);
  [[nodiscard]] static absl::StatusOr<ShmMemory> Map(Descriptor fd, size_t head_bytes,
                                                     size_t body_bytes);

  Descriptor fd_;
  char* head_ = nullptr;
  size_t head_bytes_ = 0;
  size_t body_bytes_ = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_MEMORY_H_
