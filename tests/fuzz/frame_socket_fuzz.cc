// The stream between a worker and its rank: frames come out as they went in, up to the first byte
// that does not fit; and what is in them is a message or is not.
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/check.h"
#include "base/frame_socket.h"
#include "proto/rank.pb.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

namespace pb = ::ringmaster::v1;

std::string Frame(absl::string_view bytes) {
  std::string frame;
  for (size_t i = 0; i < 4; ++i) frame += static_cast<char>(bytes.size() >> (8 * i));
  return frame.append(bytes.data(), bytes.size());
}

// Both ends of a stream.
struct Pair {
  int ends[2];
  Pair() { RM_CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair"); }
  ~Pair() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  // All of it, and nothing after it. REQUIRES: it fits the socket's buffer.
  void Send(absl::string_view bytes) {
    const ssize_t sent = ::send(ends[1], bytes.data(), bytes.size(), MSG_NOSIGNAL);
    RM_CHECK(sent == static_cast<ssize_t>(bytes.size()), "sent ", sent);
    ::close(ends[1]);
    ends[1] = -1;
  }
};

pb::RankMessage Example() {
  pb::RankMessage message;
  message.mutable_committed()->set_step(7);
  message.mutable_committed()->set_path("/c/step-7");
  (*message.mutable_committed()->mutable_metrics())["validation/accuracy"] = 0.5;
  return message;
}

// A message that can be read can be written and read again.
void CheckMessage(const std::string& bytes) {
  pb::RankMessage message, again;
  if (!message.ParseFromString(bytes)) return;
  RM_CHECK(again.ParseFromString(message.SerializeAsString()), "cannot be read again");
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 15'000;
  options.live_bytes_max = base::kFrameBytesMax + (size_t{1} << 20);
  return options;
}

std::vector<std::string> Seeds() {
  const std::string message = Frame(Example().SerializeAsString());
  return {message, message + Frame("") + message, Frame(std::string(1000, 'x'))};
}

std::vector<std::string> Words() {
  return {Frame(""), Frame("x"), std::string("\0\0\0\x01", 4), std::string("\x01\0\0\x01", 4),
          "\xff\xff\xff\xff", "\x7f"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view sent = rm::fuzz::TextOf(data, size);
  rm::fuzz::Pair pair;
  pair.Send(sent);
  std::string received;
  for (;;) {
    const auto frame = rm::base::ReadFrame(pair.ends[0]);
    if (!frame.ok()) {
      const bool whole = received.size() == sent.size();
      RM_CHECK(whole ? absl::IsOutOfRange(frame.status()) : absl::IsDataLoss(frame.status()),
               frame.status().ToString());
      if (whole) rm::fuzz::Accepted();
      return 0;
    }
    received += rm::fuzz::Frame(*frame);
    RM_CHECK(sent.substr(0, received.size()) == received, "another frame");
    rm::fuzz::CheckMessage(*frame);
  }
}
