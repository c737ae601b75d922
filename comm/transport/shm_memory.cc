#include "comm/transport/shm_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::comm {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// Puts `bytes` of the memory from `offset` on at `where`, which lies inside a range that is ours.
bool MapAt(char* where, size_t bytes, int fd, size_t offset) {
  void* const mapped = ::mmap(where, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                              static_cast<off_t>(offset));
  return mapped != MAP_FAILED;
}

}  // namespace

// The pages are taken now, so that a machine without memory says so here and not in the middle of a
// sum.
absl::StatusOr<ShmMemory> ShmMemory::Create(size_t head_bytes, size_t body_bytes) {
  RM_CHECK(head_bytes > 0 && head_bytes % kShmPageBytes == 0, head_bytes, " bytes");
  RM_CHECK(body_bytes % kShmPageBytes == 0, body_bytes, " bytes");
  Descriptor fd(::memfd_create("ringmaster", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.open()) return base::ErrnoStatus(errno, "memfd_create");
  const auto bytes = static_cast<off_t>(head_bytes + body_bytes);
  if (::fallocate(fd.get(), 0, 0, bytes) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("allocating ", bytes, " bytes of shared memory"));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) {
    return base::ErrnoStatus(errno, "sealing shared memory");
  }
  return Map(std::move(fd), head_bytes, body_bytes);
}

absl::Status ShmMemory::Check(const Descriptor& fd, size_t bytes) {
  struct stat found = {};
  const bool known = ::fstat(fd.get(), &found) == 0;
  if (!known || found.st_size < 0 || static_cast<size_t>(found.st_size) != bytes) {
    return absl::DataLossError(absl::StrCat("a peer's shared memory has ", found.st_size,
                                            " bytes, not ", bytes));
  }
  if ((::fcntl(fd.get(), F_GET_SEALS) & kSeals) != kSeals) {
    return absl::DataLossError("a peer's shared memory is not sealed: it could shrink under us");
  }
  return absl::OkStatus();
}

absl::StatusOr<ShmMemory> ShmMemory::Adopt(Descriptor fd, size_t head_bytes, size_t body_bytes) {
  RM_RETURN_IF_ERROR(Check(fd, head_bytes + body_bytes));
  return Map(std::move(fd), head_bytes, body_bytes);
}

// All of it is mapped at once, so that the first sum does not stop at every page.
absl::StatusOr<ShmMemory> ShmMemory::AdoptToRead(Descriptor fd, size_t bytes) {
  RM_RETURN_IF_ERROR(Check(fd, bytes));
  void* const mapped =
      ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  if (mapped == MAP_FAILED) return base::ErrnoStatus(errno, "mapping a peer's shared memory");
  return ShmMemory(std::move(fd), static_cast<char*>(mapped), bytes, 0);
}

// First a range of addresses for the whole, then the two mappings of the body into it.
absl::StatusOr<ShmMemory> ShmMemory::Map(Descriptor fd, size_t head_bytes, size_t body_bytes) {
  const size_t range = head_bytes + 2 * body_bytes;
  void* const reserved =
      ::mmap(nullptr, range, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return base::ErrnoStatus(errno, "mapping shared memory");
  char* const head = static_cast<char*>(reserved);
  char* const again = head + head_bytes + body_bytes;
  const bool mapped =
      MapAt(head, head_bytes + body_bytes, fd.get(), 0) &&
      (body_bytes == 0 || MapAt(again, body_bytes, fd.get(), head_bytes));
  if (!mapped) {
    const absl::Status why = base::ErrnoStatus(errno, "mapping shared memory");
    ::munmap(reserved, range);
    return why;
  }
  return ShmMemory(std::move(fd), head, head_bytes, body_bytes);
}

ShmMemory::ShmMemory(ShmMemory&& other) noexcept
    : fd_(std::move(other.fd_)),
      head_(std::exchange(other.head_, nullptr)),
      head_bytes_(other.head_bytes_),
      body_bytes_(other.body_bytes_) {}

ShmMemory::~ShmMemory() {
  if (head_ != nullptr) ::munmap(head_, head_bytes_ + 2 * body_bytes_);
}

}  // namespace rm::comm
