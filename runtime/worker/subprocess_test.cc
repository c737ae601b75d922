#include "runtime/worker/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace rm::worker {
namespace {

SubprocessSpec Shell(const std::string& script) {
  SubprocessSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"sh", "-c", script};
  return spec;
}

// A pipe whose write end a child gets as its output.
class Pipe {
 public:
  Pipe() { REQUIRE(::pipe2(fds_.data(), O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(fds_[0]);
    CloseWriteEnd();
  }
  int write_end() const { return fds_[1]; }
  void CloseWriteEnd() {
    if (fds_[1] >= 0) ::close(fds_[1]);
    fds_[1] = -1;
  }
  // What was written until every writer has closed.
  std::string ReadAll() {
    CloseWriteEnd();
    std::string text;
    std::array<char, 256> buffer;
    for (ssize_t got; (got = ::read(fds_[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<size_t>(got));
    }
    return text;
  }
  std::string ReadLine() {
    std::string line;
    for (char c; ::read(fds_[0], &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }

 private:
  std::array<int, 2> fds_{-1, -1};
};

// Waits until no process of this id exists (a killed grandchild is reaped by init in its own time).
bool Gone(pid_t pid) {
  for (int i = 0; i < 5000; ++i) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) return true;
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 512> text{};
    const ssize_t got = fd < 0 ? -1 : ::read(fd, text.data(), text.size() - 1);
    if (fd >= 0) ::close(fd);
    if (got > 0 && std::string(text.data()).find(") Z ") != std::string::npos) return true;
    std::this_thread::yield();
    ::usleep(1000);
  }
  return false;
}

TEST_CASE("what a child has used of the memory is known at its end") {
  // tail keeps the last line, and so all of these 64 MiB without one.
  auto child = Subprocess::Start(Shell("head -c 67108864 /dev/zero | tail -n 1 >/dev/null; exit 0"));
  auto small = Subprocess::Start(Shell("exec true"));
  REQUIRE(child.ok());
  REQUIRE(small.ok());
  const int64_t used = (*child)->Wait(absl::InfiniteDuration())->peak_memory;
  CHECK(used >= int64_t{64} << 20);
  CHECK((*small)->Wait(absl::InfiniteDuration())->peak_memory < int64_t{64} << 20);
}

TEST_CASE("an exit code and a signal are told apart") {
  const struct {
    const char* script;
    Exit exit;
    const char* text;
  } cases[] = {
      {"exit 0", {0, 0}, "exit code 0"},
      {"exit 75", {75, 0}, "exit code 75"},
      {"kill -9 $$", {0, 9}, "signal 9 (Killed)"},
      {"kill -ABRT $$", {0, 6}, "signal 6 (Aborted)"},
  };
  for (const auto& c : cases) {
    auto child = Subprocess::Start(Shell(c.script));
    REQUIRE(child.ok());
    const auto ended = (*child)->Wait(absl::InfiniteDuration());
    REQUIRE(ended.has_value());
    CHECK(ended->code == c.exit.code);
    CHECK(ended->signal == c.exit.signal);
    CHECK(ended->ToString() == c.text);
    CHECK(ended->ok() == (std::string(c.text) == "exit code 0"));
    CHECK((*child)->Wait(absl::ZeroDuration())->code == c.exit.code);  // again: the same
  }
}

TEST_CASE("a program that cannot be started is an error that names it, and leaves no process") {
  SubprocessSpec spec;
  spec.program = "/no/such/program";
  spec.arguments = {"program"};
  const auto child = Subprocess::Start(spec);
  CHECK(child.status().code() == absl::StatusCode::kNotFound);
  CHECK(std::string(child.status().message()).find("/no/such/program") != std::string::npos);
  spec.program = "/etc/passwd";
  CHECK(Subprocess::Start(spec).status().code() == absl::StatusCode::kPermissionDenied);
}

TEST_CASE("waiting for a process that runs on gives nothing, and it runs on") {
  auto child = Subprocess::Start(Shell("exec sleep 1000"));
  REQUIRE(child.ok());
  CHECK_FALSE((*child)->Wait(absl::ZeroDuration()).has_value());
  CHECK(::kill((*child)->pid(), 0) == 0);
  (*child)->Signal(SIGTERM);
  CHECK((*child)->Wait(absl::InfiniteDuration())->signal == SIGTERM);
  (*child)->Signal(SIGTERM);  // it is gone: nothing happens
}

TEST_CASE("output, environment and the inherited descriptor reach the child, nothing else does") {
  Pipe out;
  std::array<int, 2> sockets{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0);
  const int leaked = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  REQUIRE(leaked >= 0);
  SubprocessSpec spec = Shell(
      "echo $RANK $HOME_OF_TEST; echo hello >&3; ls /proc/self/fd | tr '\\n' ' '; echo oops >&2");
  spec.environment = {"RANK=3", "HOME_OF_TEST=here"};
  spec.output_fd = out.write_end();
  spec.inherited_fd = sockets[1];
  auto child = Subprocess::Start(spec);
  REQUIRE(child.ok());
  ::close(sockets[1]);
  std::array<char, 16> text{};
  CHECK(::read(sockets[0], text.data(), text.size()) == 6);
  CHECK(std::string(text.data()) == "hello\n");
  const std::string output = out.ReadAll();
  CHECK(output == "3 here\n0 1 2 3 4 oops\n");  // 4 is ls's own
  CHECK((*child)->Wait(absl::InfiniteDuration())->ok());
  ::close(sockets[0]);
  ::close(leaked);
}

TEST_CASE("a variable given replaces the one of this process") {
  ::setenv("RM_SUBPROCESS_TEST", "old", 1);
  Pipe out;
  SubprocessSpec spec = Shell("echo $RM_SUBPROCESS_TEST");
  spec.environment = {"RM_SUBPROCESS_TEST=new"};
  spec.output_fd = out.write_end();
  auto child = Subprocess::Start(spec);
  REQUIRE(child.ok());
  CHECK(out.ReadAll() == "new\n");
}

TEST_CASE("grandchildren die with their group, when the child is killed and when it ends by itself") {
  for (const bool by_itself : {false, true}) {
    Pipe out;
    SubprocessSpec spec =
        Shell(by_itself ? "sleep 1000 >/dev/null 2>&1 & echo $!; exit 0"
                        : "sleep 1000 >/dev/null 2>&1 & echo $!; wait");
    spec.output_fd = out.write_end();
    auto child = Subprocess::Start(spec);
    REQUIRE(child.ok());
    const pid_t grandchild = std::stoi(out.ReadLine());
    if (!by_itself) (*child)->Kill();
    const auto ended = (*child)->Wait(absl::InfiniteDuration());
    CHECK(ended->signal == (by_itself ? 0 : SIGKILL));
    CHECK(Gone(grandchild));
  }
}

TEST_CASE("the destructor leaves no process") {
  pid_t pid = 0;
  {
    auto child = Subprocess::Start(Shell("trap '' TERM; exec sleep 1000"));
    REQUIRE(child.ok());
    pid = (*child)->pid();
  }
  CHECK(::kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE("the child dies with the thread that started it, and with no other") {
  std::unique_ptr<Subprocess> child;
  std::promise<void> started;
  std::promise<void> end;
  std::thread starter([&] {
    auto result = Subprocess::Start(Shell("exec sleep 1000"));
    REQUIRE(result.ok());
    child = *std::move(result);
    started.set_value();
    end.get_future().wait();
  });
  started.get_future().wait();
  for (int i = 0; i < 20; ++i) std::thread([] {}).join();  // threads that come and go beside it
  CHECK_FALSE(child->Wait(absl::ZeroDuration()).has_value());
  end.set_value();
  starter.join();
  CHECK(child->Wait(absl::InfiniteDuration())->signal == SIGKILL);
}

TEST_CASE("the child dies when its parent is killed") {
  // A process between us and the child: it starts the child, says its id, and is killed.
  Pipe out;
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto child = Subprocess::Start(Shell("exec sleep 1000"));
    const std::string line = std::to_string((*child)->pid()) + "\n";
    if (::write(out.write_end(), line.data(), line.size()) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  const pid_t child = std::stoi(out.ReadLine());
  REQUIRE(::kill(child, 0) == 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(Gone(child));
}

}  // namespace
}  // namespace rm::worker
