// A rank process for tests: it does what the name of its job says, word by word.
//
//   listen  joined  progress:N  committed:N  finished:N  failed:CODE    says that to the worker
//   print:TEXT  hex:BYTES  error:TEXT  env:NAME  threads  fill:COUNT    writes to its output
//   await-generation  await-stop                                       prints what came
//   flood:N                                                            says progress 1 … N
//   leave-child       a grandchild, in a session of its own, keeps the socket open; prints its pid
//   heirs-die         what it forks from now on dies with it
//   stacks            from now on SIGQUIT makes it write its stacks; half-stacks: only their beginning
//   deaf              from now on SIGQUIT does nothing
//   stop-self         stops as by SIGSTOP
//   exit:N  signal:N  abort  forever                                   how it ends, or does not

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/frame_socket.h"
#include "base/parent_death.h"
#include "base/stack_dump.h"
#include "proto/rank.pb.h"

namespace {

namespace pb = ::ringmaster::v1;

constexpr int kSocket = 3;

pb::RankCommand NextCommand() {
  pb::RankCommand command;
  const auto bytes = rm::base::ReadFrame(kSocket);
  if (!bytes.ok()) ::_exit(75);  // the worker is gone
  command.ParseFromString(*bytes);
  return command;
}

void Say(const pb::RankMessage& message) {
  rm::base::WriteFrame(kSocket, message.SerializeAsString()).IgnoreError();
}

void Print(const std::string& text) {
  std::fputs(absl::StrCat(text, "\n").c_str(), stdout);
  std::fflush(stdout);
}

int64_t Number(const std::string& text) {
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

void SayProgress(int64_t step) {
  pb::RankMessage message;
  message.mutable_progress()->set_step(step);
  Say(message);
}

void AwaitGeneration() {
  pb::RankCommand command = NextCommand();
  while (!command.has_start_generation()) command = NextCommand();
  const pb::StartGeneration& generation = command.start_generation();
  Print(absl::StrCat("generation ", generation.generation(), " of ",
                     absl::StrJoin(generation.peers(), ",")));
}

void AwaitStop() {
  pb::RankCommand command = NextCommand();
  while (!command.has_stop()) command = NextCommand();
  Print(command.stop().checkpoint() ? "stop with checkpoint" : "stop");
}

void LeaveChild() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    for (;;) ::pause();
  }
  while (::getsid(child) != child) ::sched_yield();  // before that it would die with our group
  Print(absl::StrCat("child ", child));
}

// As a rank does whose threads are so many that it is killed in the middle of its dump.
void WriteHalfADump(int) {
  constexpr char kText[] = "--- stacks of process 1, 2 threads\nthread 1 (rank)\n  #0 Half\n";
  if (::write(STDERR_FILENO, kText, sizeof(kText) - 1) < 0) ::_exit(2);
}

// Whatever handler a sanitizer may have put there.
void DieBySignal(int signal) {
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

using Action = std::function<void(const std::string& argument)>;

// What it says to the worker.
std::map<std::string, Action> Messages() {
  pb::RankMessage m;
  return {
      {"listen", [m](const auto&) mutable { m.mutable_listening()->set_address("fake:1"), Say(m); }},
      {"joined", [m](const auto&) mutable { m.mutable_joined()->set_first_step(0), Say(m); }},
      {"progress", [](const auto& step) { SayProgress(Number(step)); }},
      {"committed",
       [m](const auto& step) mutable { m.mutable_committed()->set_step(Number(step)), Say(m); }},
      {"finished",
       [m](const auto& step) mutable { m.mutable_finished()->set_step(Number(step)), Say(m); }},
      {"failed",
       [m](const auto& code) mutable {
         m.mutable_failed()->mutable_reason()->set_code(code);
         m.mutable_failed()->mutable_reason()->set_sentence("as the test asked");
         m.mutable_failed()->set_step(9);
         Say(m);
       }},
      {"flood",
       [](const auto& count) {
         for (int64_t step = 1; step <= Number(count); ++step) SayProgress(step);
       }},
  };
}

// What it does otherwise.
std::map<std::string, Action> Deeds(const pb::RankStart& start) {
  return {
      {"threads", [&start](const auto&) { Print(absl::StrCat("threads ", start.threads())); }},
      {"print", [](const auto& text) { Print(text); }},
      {"hex", [](const auto& digits) { Print(absl::HexStringToBytes(digits)); }},
      {"error", [](const auto& text) { std::fputs(absl::StrCat(text, "\n").c_str(), stderr); }},
      {"env",
       [](const auto& name) {
         const char* value = std::getenv(name.c_str());
         Print(absl::StrCat(name, "=", value == nullptr ? "(unset)" : value));
       }},
      {"fill",
       [](const auto& bytes) {
         Print(std::string(static_cast<size_t>(Number(bytes)), 'x'));
       }},
      {"await-generation", [](const auto&) { AwaitGeneration(); }},
      {"await-stop", [](const auto&) { AwaitStop(); }},
      {"leave-child", [](const auto&) { LeaveChild(); }},
      {"heirs-die", [](const auto&) { rm::base::ForkedChildrenDieWithUs(); }},
      {"stacks", [](const auto&) { rm::base::InstallStackDump(SIGQUIT, STDERR_FILENO); }},
      {"half-stacks", [](const auto&) { ::signal(SIGQUIT, &WriteHalfADump); }},
      {"deaf", [](const auto&) { ::signal(SIGQUIT, SIG_IGN); }},
      {"stop-self", [](const auto&) { ::raise(SIGSTOP); }},
      {"abort", [](const auto&) { std::abort(); }},
      {"exit", [](const auto& code) { ::_exit(static_cast<int>(Number(code))); }},
      {"signal", [](const auto& number) { DieBySignal(static_cast<int>(Number(number))); }},
      {"forever",
       [](const auto&) {
         for (;;) ::pause();
       }},
  };
}

}  // namespace

int main() {
  const pb::RankCommand first = NextCommand();
  std::map<std::string, Action> actions = Messages();
  for (auto& [word, action] : Deeds(first.start())) actions[word] = action;
  const std::vector<std::string> script = absl::StrSplit(first.start().spec().name(), ' ');
  for (const std::string& word : script) {
    const std::vector<std::string> parts = absl::StrSplit(word, absl::MaxSplits(':', 1));
    const auto action = actions.find(parts[0]);
    if (action == actions.end()) {
      std::fprintf(stderr, "no word '%s'\n", word.c_str());
      return 2;
    }
    action->second(parts.size() > 1 ? parts[1] : "");
  }
  return 0;
}
