// The daemons of a cluster, for tests: as ringmaster-coordinator it listens where it is told and lists
// as ready the workers that have come up beside its state folder; as ringmaster-worker it comes up.
// Both run until they are killed. $FAKE_DAEMON changes that:
//
//   coordinator-fails, worker-fails   ends at once, with a word on standard error
//   coordinator-hangs, worker-hangs   never comes up

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file_system.h"
#include "runtime/client/testing.h"

namespace {

namespace pb = ::ringmaster::v1;

// The value behind `name` on the command line.
std::string ValueOf(const std::string& name, int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (argv[i] == name) return argv[i + 1];
  }
  return "";
}

void MisbehaveAsTold(const std::string& role) {
  const char* wish = std::getenv("FAKE_DAEMON");
  const std::string told = wish == nullptr ? "" : wish;
  if (told == role + "-fails") {
    std::cerr << "one\ntwo\nthe " << role << " has no port" << std::endl;
    std::exit(3);
  }
  while (told == role + "-hangs") ::pause();
}

void RunWorker(const std::string& folder) {
  MisbehaveAsTold("worker");
  rm::base::FileSystem& files = rm::base::PosixFileSystem();
  if (!files.MakeFolders(folder).ok()) std::exit(1);
  if (!rm::base::WriteFileAtomically(files, folder + "/up", "").ok()) std::exit(1);
  for (;;) ::pause();
}

void RunCoordinator(const std::string& listen, const std::string& address_file) {
  MisbehaveAsTold("coordinator");
  const std::string folder = rm::base::ParentPath(address_file);
  int port = 0;
  if (!absl::SimpleAtoi(listen.substr(listen.rfind(':') + 1), &port)) std::exit(2);
  rm::client::FakeCoordinator coordinator(port);
  coordinator.methods.nodes = [folder](const pb::NodesRequest&, pb::NodesReply* reply) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      pb::Node& node = *reply->add_nodes();
      const bool up = std::filesystem::exists(entry.path() / "up");
      node.set_state(up ? pb::READY : pb::ABSENT);
    }
    return grpc::Status::OK;
  };
  const std::string text = absl::StrCat(coordinator.address(), "\n127.0.0.1:1\n");
  if (!rm::base::WriteFileAtomically(rm::base::PosixFileSystem(), address_file, text).ok()) {
    std::exit(1);
  }
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (absl::EndsWith(argv[0], "ringmaster-worker")) RunWorker(ValueOf("--dir", argc, argv));
  RunCoordinator(ValueOf("--listen", argc, argv), ValueOf("--address-file", argc, argv));
}
