#include "base/version.h"

#include <catch2/catch.hpp>

namespace rm::base {
namespace {

TEST_CASE("versions agree when only the patch number differs") {
  struct Case {
    const char* a;
    const char* b;
    bool agree;
  };
  const Case cases[] = {
      {"0.1.0", "0.1.0", true},  {"0.1.0", "0.1.7", true},     {"0.1.0", "0.2.0", false},
      {"1.2.3", "2.2.3", false}, {"0.1.0", "", false},         {"0.1", "0.1.0", false},
      {"0.1.0", "0.1", false},   {"nightly", "nightly", true}, {"0.1.0.1", "0.1.0.2", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.a, c.b);
    CHECK(VersionsAgree(c.a, c.b) == c.agree);
    CHECK(VersionsAgree(c.b, c.a) == c.agree);
  }
}

TEST_CASE("this program agrees with itself") { CHECK(VersionsAgree(kVersion, kVersion)); }

}  // namespace
}  // namespace rm::base
