// A small HTTP server for the pages that a daemon shows of itself: /metrics, /healthz, /readyz.
//
// It answers GET and HEAD for the paths of a fixed table; anything else is 404 or 405. One thread
// serves all connections, so a page must answer in a moment. Requests are bounded (8 KiB of
// headers, no body, 10 s).
#ifndef RM_RUNTIME_TELEMETRY_HTTP_SERVER_H_
#define RM_RUNTIME_TELEMETRY_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace rm::telemetry {

struct HttpReply {
  int code = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Path ("/metrics") → what makes the page. Called on the server's thread, one at a time.
using HttpPages = std::map<std::string, std::function<HttpReply()>>;

// Serves from Start to its end. Thread-safe.
class HttpServer {
 public:
  // Binds host:port (port 0: a free one) and serves. `host` is a numeric address or "localhost".
  // Errors name the address and why it cannot be had, as errno says.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& host,
                                                                         int port, HttpPages pages);
  // Stops serving; a page that is being made is finished first.
  ~HttpServer();

  // The port that is served.
  [[nodiscard]] int port() const;

 private:
  struct Loop;
  explicit HttpServer(std::unique_ptr<Loop> loop);
  const std::unique_ptr<Loop> loop_;
};

}  // namespace rm::telemetry

#endif  // RM_RUNTIME_TELEMETRY_HTTP_SERVER_H_
