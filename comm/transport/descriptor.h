// A file descriptor that closes itself.
#ifndef RM_COMM_TRANSPORT_DESCRIPTOR_H_
#define RM_COMM_TRANSPORT_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace rm::comm {

// Owns a descriptor, or none (-1). Movable. Thread-compatible.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { Close(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

  // Does nothing where there is none.
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_DESCRIPTOR_H_
