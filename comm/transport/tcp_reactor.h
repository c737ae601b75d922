// Waits for many sockets at once (epoll), on whichever thread needs one of them.
//
// As in grpc_reactor.h there is no thread of its own: the thread that needs a frame polls the sockets
// itself. When several threads wait, one of them polls for all. Sockets are watched edge by edge: an
// event says that something has become possible since it last was not; who handles it goes on until it
// is not again.
#ifndef RM_COMM_TRANSPORT_TCP_REACTOR_H_
#define RM_COMM_TRANSPORT_TCP_REACTOR_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "comm/transport/descriptor.h"

namespace rm::comm {

// Somebody who has a socket.
class TcpHandler {
 public:
  virtual ~TcpHandler() = default;
  // The socket may be read or written, or is broken. Called with the reactor's mutex held.
  virtual void OnReady(int socket) = 0;
};

// Thread-safe.
class TcpReactor {
 public:
  // Unavailable when the system has no descriptor for it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TcpReactor>> Create();

  // Guards the reactor and all that handlers touch.
  [[nodiscard]] base::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  // From now on the handler hears of the socket, which is open and stays so until Forget. Both with
  // the mutex held; after Forget nothing is heard any more.
  [[nodiscard]] absl::Status Watch(int socket, TcpHandler* handler);
  void Forget(int socket);

  // Serves sockets until done(), which is called with the mutex held, or the deadline has passed.
  // Returns done(). Releases the mutex while it waits.
  bool ServeUntil(absl::FunctionRef<bool()> done, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Makes every waiting ServeUntil look at its condition again. Needs no lock.
  void Wake();

 private:
  TcpReactor(Descriptor epoll, Descriptor alarm)
      : epoll_(std::move(epoll)), alarm_(std::move(alarm)) {}

  void PollOnce(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // A socket that is watched. Its number may be used again after Forget, its key is not.
  struct Watched {
    uint64_t key = 0;
    TcpHandler* handler = nullptr;
  };

  base::Mutex mutex_;
  base::CondVar polled_;
  bool polling_ ABSL_GUARDED_BY(mutex_) = false;
  const Descriptor epoll_;
  const Descriptor alarm_;  // an eventfd
  std::atomic<bool> wake_pending_{false};
  std::map<int, Watched> watched_;  // by socket
  uint64_t next_key_ = 1;           // 0 is the alarm's
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TCP_REACTOR_H_
