#include "runtime/telemetry/http_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rm::telemetry {
namespace {

// Sends `request` to 127.0.0.1:port and returns all that comes back until the end; nothing, when there is no socket to
// be had. Called by many threads, so nothing is asserted here.
std::string Exchange(int port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return "";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string reply;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    char buffer[4096];
    for (ssize_t got = 1; got > 0;) {
      got = read(fd, buffer, sizeof(buffer));
      if (got > 0) reply.append(buffer, static_cast<size_t>(got));
    }
  }
  close(fd);
  return reply;
}

std::string Get(int port, const std::string& path, const std::string& method = "GET") {
  return Exchange(port, absl::StrCat(method, " ", path, " HTTP/1.0\r\n\r\n"));
}

std::unique_ptr<HttpServer> MustStart(HttpPages pages) {
  auto server = HttpServer::Start("127.0.0.1", 0, std::move(pages));
  INFO(server.status());
  REQUIRE(server.ok());
  REQUIRE((*server)->port() > 0);
  return *std::move(server);
}

TEST_CASE("a page is answered with its code, type and body") {
  const auto server = MustStart({
      {"/metrics",
       [] {
         return HttpReply{200, "text/x", "a 1\n"};
       }},
      {"/readyz",
       [] {
         return HttpReply{503, "text/plain", "starting\n"};
       }},
  });
  const std::string metrics = Get(server->port(), "/metrics?x=1");
  CHECK(absl::StartsWith(metrics, "HTTP/1.0 200 OK\r\n"));
  CHECK(absl::StrContains(metrics, "Content-Type: text/x\r\n"));
  CHECK(absl::EndsWith(metrics, "\r\n\r\na 1\n"));
  CHECK(absl::StrContains(Get(server->port(), "/readyz"), " 503 "));
}

TEST_CASE("a page is made anew for each request, and never kept by anyone") {
  int asked = 0;
  const auto server = MustStart({{"/count", [&] {
                                    return HttpReply{200, "text/plain", absl::StrCat(++asked)};
                                  }}});
  CHECK(absl::EndsWith(Get(server->port(), "/count"), "\r\n\r\n1"));
  const std::string second = Get(server->port(), "/count");
  CHECK(absl::EndsWith(second, "\r\n\r\n2"));
  CHECK(absl::StrContains(second, "Cache-Control: no-store\r\n"));
}

TEST_CASE("a page of a megabyte arrives whole") {
  const std::string big(1 << 20, 'x');
  const auto server = MustStart({{"/big", [&] { return HttpReply{200, "text/plain", big}; }}});
  const std::string reply = Get(server->port(), "/big");
  CHECK(absl::StrContains(reply, "Content-Length: 1048576\r\n"));
  REQUIRE(reply.size() > big.size());
  CHECK(reply.substr(reply.size() - big.size()) == big);
}

TEST_CASE("a connection is kept for the next request when the client wants it so") {
  const auto server = MustStart({{"/x", [] { return HttpReply{200, "text/plain", "yes"}; }}});
  const std::string one = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string last = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::string replies = Exchange(server->port(), one + last);
  const size_t first = replies.find("HTTP/1.1 200");
  REQUIRE(first != std::string::npos);
  CHECK(replies.find("HTTP/1.1 200", first + 1) != std::string::npos);
}

TEST_CASE("a client that says nothing keeps nobody else waiting, nor the end") {
  auto server = MustStart({{"/x", [] { return HttpReply{200, "text/plain", "yes"}; }}});
  const int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(silent, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  CHECK(absl::EndsWith(Get(server->port(), "/x"), "yes"));
  server.reset();
  char byte = 0;
  CHECK(read(silent, &byte, 1) <= 0);  // it was closed, not left
  close(silent);
}

TEST_CASE("HEAD has the headers and no body") {
  const auto server = MustStart({{"/x", [] { return HttpReply{200, "text/plain", "body"}; }}});
  const std::string reply = Get(server->port(), "/x", "HEAD");
  CHECK(absl::StrContains(reply, " 200 "));
  CHECK(absl::EndsWith(reply, "\r\n\r\n"));
}

TEST_CASE("what is not in the table is refused, and nothing but reading is allowed") {
  const auto server = MustStart({{"/x", [] { return HttpReply{}; }}});
  const std::string unknown = Get(server->port(), "/y");
  CHECK(absl::StrContains(unknown, " 404 "));
  CHECK(absl::EndsWith(unknown, "not found; there is: /x\n"));
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    CAPTURE(method);
    CHECK_FALSE(absl::StrContains(Get(server->port(), "/x", method), " 200 "));
  }
}

TEST_CASE("nonsense and oversized requests end the connection, not the server") {
  const auto server = MustStart({{"/x", [] { return HttpReply{}; }}});
  const std::string requests[] = {
      "\r\n\r\n",
      "GET\r\n\r\n",
      "GET /x HTTP/9.9\r\n\r\n",
      std::string(100, '\0') + "\r\n\r\n",
      absl::StrCat("GET /x HTTP/1.0\r\nA: ", std::string(20 << 10, 'a'), "\r\n\r\n"),
      absl::StrCat("GET /", std::string(20 << 10, 'a'), " HTTP/1.0\r\n\r\n"),
      absl::StrCat("GET /x HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
  };
  for (const std::string& request : requests) {
    const std::string reply = Exchange(server->port(), request);
    CAPTURE(request.substr(0, 40));
    CHECK_FALSE(absl::StrContains(reply, "not found; there is"));
  }
  CHECK(absl::StrContains(Get(server->port(), "/x"), " 200 "));
}

TEST_CASE("many clients at once are all served") {
  std::atomic<int> made{0};
  const auto server = MustStart({{"/x", [&] {
                                    ++made;
                                    return HttpReply{200, "text/plain", "yes"};
                                  }}});
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      for (int n = 0; n < 20; ++n) {
        served += absl::EndsWith(Get(server->port(), "/x"), "yes") ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(served == 160);
  CHECK(made == 160);
}

TEST_CASE("an address that cannot be had is named with the reason") {
  const auto server = MustStart({});
  const auto second = HttpServer::Start("127.0.0.1", server->port(), {});
  CHECK(second.status().message() == absl::StrCat("cannot serve HTTP on 127.0.0.1:", server->port(),
                                                  ": Address already in use"));
  const auto foreign = HttpServer::Start("203.0.113.7", 0, {});
  CHECK(foreign.status().message() ==
        "cannot serve HTTP on 203.0.113.7:0: Cannot assign requested address");
}

TEST_CASE("after its end the port is free again") {
  auto server = MustStart({});
  const int port = server->port();
  server.reset();
  CHECK(HttpServer::Start("127.0.0.1", port, {}).ok());
}

}  // namespace
}  // namespace rm::telemetry
