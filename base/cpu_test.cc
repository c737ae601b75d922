#include "base/cpu.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

namespace rm::base {
namespace {

TEST_CASE("A cap lowers the level and never raises it") {
  struct Case {
    Isa best;
    const char* cap;
    Isa expected;
  };
  const Case cases[] = {
      {Isa::kV4, "1", Isa::kV1}, {Isa::kV4, "3", Isa::kV3}, {Isa::kV4, "4", Isa::kV4},
      {Isa::kV3, "1", Isa::kV1}, {Isa::kV3, "3", Isa::kV3}, {Isa::kV3, "4", Isa::kV3},
      {Isa::kV1, "1", Isa::kV1}, {Isa::kV1, "3", Isa::kV1}, {Isa::kV1, "4", Isa::kV1},
  };
  for (const Case& c : cases) {
    Isa isa = c.best;
    CAPTURE(IsaName(c.best), c.cap);
    CHECK(CapIsa(c.cap, &isa));
    CHECK(isa == c.expected);
  }
}

TEST_CASE("A cap that is no level is refused and changes nothing") {
  for (const char* cap : {"", "0", "2", "5", "v3", "3 ", "03", "avx2"}) {
    Isa isa = Isa::kV4;
    CAPTURE(cap);
    CHECK_FALSE(CapIsa(cap, &isa));
    CHECK(isa == Isa::kV4);
  }
}

// Not a test by itself: says the level to whoever started this process.
TEST_CASE("Report the level", "[.report_level]") {
  std::cout << "level=" << IsaName(CpuIsa()) << "\n";
}

// The level that a fresh process finds with RINGMASTER_ISA set to `cap`, and all that it says.
std::string OutputWithCap(const std::string& cap) {
  const std::string command = "RINGMASTER_ISA='" + cap + "' /proc/" + std::to_string(getpid()) +
                              "/exe [.report_level] 2>&1";
  FILE* const pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char buffer[256];
  while (fgets(buffer, sizeof(buffer), pipe) != nullptr) output += buffer;
  CHECK(pclose(pipe) == 0);
  return output;
}

TEST_CASE("The environment caps the level of the whole process") {
  CHECK(OutputWithCap("1").find("level=v1\n") != std::string::npos);
  const std::string uncapped = OutputWithCap("4");
  CHECK(uncapped.find("level=v") != std::string::npos);
  CHECK(uncapped.find("ignored") == std::string::npos);
}

TEST_CASE("A cap that is no level is said and ignored") {
  const std::string output = OutputWithCap("avx2");
  CHECK(output.find("RINGMASTER_ISA is 'avx2': it takes 1, 3 or 4; ignored\n") !=
        std::string::npos);
  const std::string uncapped = OutputWithCap("4");
  const std::string level = uncapped.substr(uncapped.find("level="), 9);
  CHECK(output.find(level) != std::string::npos);
}

TEST_CASE("Levels have the names of the psABI") {
  CHECK(IsaName(Isa::kV1) == "v1");
  CHECK(IsaName(Isa::kV3) == "v3");
  CHECK(IsaName(Isa::kV4) == "v4");
}

// The value of the first line of /proc/cpuinfo that begins with `key`.
std::string CpuInfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(key, 0) == 0) return line.substr(line.find(':') + 1);
  }
  return "";
}

TEST_CASE("The level fits the flags that the kernel reports") {
  const std::string flags = CpuInfo("flags") + " ";
  REQUIRE(flags.size() > 1);
  const auto has = [&flags](const std::string& flag) {
    return flags.find(" " + flag + " ") != std::string::npos;
  };
  const bool v3 = has("avx2") && has("fma") && has("bmi1") && has("bmi2") && has("f16c") &&
                  has("movbe") && has("abm");
  const bool v4 = v3 && has("avx512f") && has("avx512bw") && has("avx512cd") && has("avx512dq") &&
                  has("avx512vl");
  Isa expected = v4 ? Isa::kV4 : v3 ? Isa::kV3 : Isa::kV1;
  const char* const cap = std::getenv("RINGMASTER_ISA");
  if (cap != nullptr) static_cast<void>(CapIsa(cap, &expected));
  CHECK(CpuIsa() == expected);
}

TEST_CASE("The model name is the kernel's") {
  const std::string model = CpuModel();
  CHECK_FALSE(model.empty());
  CHECK(model.front() != ' ');
  CHECK(model.back() != ' ');
  const std::string kernel = CpuInfo("model name");
  INFO(kernel);
  CHECK((model == "unknown CPU" || kernel.find(model) != std::string::npos));
}

TEST_CASE("The cores are those of the affinity mask: at least one, at most all") {
  CHECK(CpuCores() >= 1);
  CHECK(CpuCores() <= static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace rm::base
