// libevent's evhttp on one thread. The thread is the only one that touches libevent once it runs,
// so no locking of libevent's own is needed; the one thing that comes from outside is the wish to
// stop, and that arrives as a readable descriptor like everything else.
#include "runtime/telemetry/http_server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::telemetry {
namespace {

constexpr int kHeadersBytesMax = 8 << 10;
constexpr int kTimeoutSeconds = 10;

// Owners for libevent's three kinds of handle.
template <typename Type, void (*kFree)(Type*)>
struct Freed {
  void operator()(Type* thing) const { kFree(thing); }
};
using EventBase = std::unique_ptr<event_base, Freed<event_base, event_base_free>>;
using Http = std::unique_ptr<evhttp, Freed<evhttp, evhttp_free>>;
using Event = std::unique_ptr<event, Freed<event, event_free>>;

// Which port the kernel chose; 0 when it cannot be told.
int BoundPort(evhttp_bound_socket* socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(evhttp_bound_socket_get_fd(socket), reinterpret_cast<sockaddr*>(&address),
                  &size) != 0) {
    return 0;
  }
  const in_port_t port = address.ss_family == AF_INET6
                             ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port;
  return ntohs(port);
}

}  // namespace

// What the serving thread works with; made before it starts and freed after it has ended.
struct HttpServer::Loop {
  HttpPages pages;
  EventBase base;
  Http http;
  Event stop;  // fires when stop_fd is written
  int stop_fd = -1;
  int port = 0;
  std::thread thread;

  ~Loop() {
    if (stop_fd >= 0) close(stop_fd);
  }

  void Reply(evhttp_request* request) {
    const char* const path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    const auto page = pages.find(path != nullptr ? path : "");
    // Who mistypes a path learns which there are.
    HttpReply reply;
    if (page == pages.end()) {
      reply.code = HTTP_NOTFOUND;
      reply.body = "not found; there is:";
      for (const auto& [name, make] : pages) absl::StrAppend(&reply.body, " ", name);
      absl::StrAppend(&reply.body, "\n");
    } else {
      reply = page->second();
    }
    evkeyvalq* const headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Content-Type", reply.content_type.c_str());
    evhttp_add_header(headers, "Cache-Control", "no-store");
    // evhttp would send the body of a HEAD too; so length and body are both set here.
    evhttp_add_header(headers, "Content-Length", absl::StrCat(reply.body.size()).c_str());
    if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
      evbuffer* const body = evhttp_request_get_output_buffer(request);
      evbuffer_add(body, reply.body.data(), reply.body.size());
    }
    evhttp_send_reply(request, reply.code, nullptr, nullptr);
  }

  static void OnRequest(evhttp_request* request, void* loop) {
    static_cast<Loop*>(loop)->Reply(request);
  }
  static void OnStop(evutil_socket_t, int16_t, void* loop) {
    event_base_loopbreak(static_cast<Loop*>(loop)->base.get());
  }
};

HttpServer::HttpServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& host, int port,
                                                              HttpPages pages) {
  auto loop = std::make_unique<Loop>();
  loop->pages = std::move(pages);
  loop->base.reset(event_base_new());
  RM_CHECK(loop->base != nullptr);
  loop->http.reset(evhttp_new(loop->base.get()));
  RM_CHECK(loop->http != nullptr);
  evhttp_set_allowed_methods(loop->http.get(), EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
  evhttp_set_max_headers_size(loop->http.get(), kHeadersBytesMax);
  evhttp_set_max_body_size(loop->http.get(), 0);
  evhttp_set_timeout(loop->http.get(), kTimeoutSeconds);
  evhttp_set_gencb(loop->http.get(), &Loop::OnRequest, loop.get());

  errno = 0;
  evhttp_bound_socket* const socket =
      evhttp_bind_socket_with_handle(loop->http.get(), host.c_str(), static_cast<uint16_t>(port));
  // Without an errno the name was not found: evhttp resolves it itself.
  if (socket == nullptr) {
    const std::string what = absl::StrCat("cannot serve HTTP on ", host, ":", port);
    if (errno == 0) return absl::InvalidArgumentError(absl::StrCat(what, ": no such address"));
    return base::ErrnoStatus(errno, what);
  }
  loop->port = BoundPort(socket);

  loop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (loop->stop_fd < 0) return base::ErrnoStatus(errno, "eventfd");
  loop->stop.reset(event_new(loop->base.get(), loop->stop_fd, EV_READ, &Loop::OnStop, loop.get()));
  RM_CHECK(loop->stop != nullptr && event_add(loop->stop.get(), nullptr) == 0);
  loop->thread = std::thread([loop = loop.get()] { event_base_dispatch(loop->base.get()); });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(loop)));
}

HttpServer::~HttpServer() {
  const uint64_t one = 1;
  RM_CHECK(write(loop_->stop_fd, &one, sizeof(one)) == static_cast<ssize_t>(sizeof(one)));
  loop_->thread.join();
}

int HttpServer::port() const { return loop_->port; }

}  // namespace rm::telemetry
