#include "base/parent_death.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>

namespace rm::base {
namespace {

// A child, a grandchild and a pipe that all three hold: its end is read when both are gone.
struct Family {
  // With `rule` the child passes the rule on before it forks.
  explicit Family(bool rule) {
    REQUIRE(::pipe(pipe.data()) == 0);
    child = ::fork();
    if (child != 0) {
      ::close(pipe[1]);
      REQUIRE(::read(pipe[0], &grandchild, sizeof(grandchild)) == sizeof(grandchild));
      return;
    }
    if (rule) ForkedChildrenDieWithUs();
    if (::fork() == 0) {
      ::setsid();  // no group or session holds it any more
      const pid_t own = ::getpid();
      if (::write(pipe[1], &own, sizeof(own)) != sizeof(own)) ::_exit(1);
    }
    for (;;) ::pause();
  }
  ~Family() { ::close(pipe[0]); }

  std::array<int, 2> pipe{-1, -1};
  pid_t child = 0;
  pid_t grandchild = 0;
};

TEST_CASE("what a process forks dies with it, at once") {
  Family family(/*rule=*/true);
  REQUIRE(::kill(family.grandchild, 0) == 0);
  ::kill(family.child, SIGKILL);
  ::waitpid(family.child, nullptr, 0);
  char byte = 0;
  CHECK(::read(family.pipe[0], &byte, 1) == 0);  // nobody holds the other end
}

TEST_CASE("without the rule it lives on") {
  Family family(/*rule=*/false);
  ::kill(family.child, SIGKILL);
  ::waitpid(family.child, nullptr, 0);
  CHECK(::kill(family.grandchild, SIGKILL) == 0);
  char byte = 0;
  CHECK(::read(family.pipe[0], &byte, 1) == 0);
}

}  // namespace
}  // namespace rm::base
