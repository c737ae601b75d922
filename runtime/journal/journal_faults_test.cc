// The journal's promises under every fault of its disk: a power cut, a full disk and an I/O error
// at each call in turn, and a write-ahead log that was cut off at any byte.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/memory_file_system.h"
#include "runtime/journal/faulty_disk.h"
#include "runtime/journal/journal.h"

namespace rm::journal {
namespace {

namespace pb = ::ringmaster::v1;
using Fault = FaultyDisk::Fault;
using Times = std::vector<int64_t>;

constexpr char kPath[] = "/journal.db";

// Records are told apart by their time; their size decides how many pages they take.
pb::JournalRecord Record(int64_t now_ns, size_t bytes) {
  pb::JournalRecord record;
  record.set_now_ns(now_ns);
  record.add_events()->mutable_cancel()->set_job_id(std::string(bytes, 'x'));
  return record;
}

// What a program was promised before its disk failed.
struct Promised {
  Times acknowledged;  // Append has returned OK
  Times in_flight;     // Append has failed: all of these, or none
  Times in_place;      // Replace has failed: these instead of all, or not
  absl::Status error;  // what the program was told
};

class Program {
 public:
  // With 8 pages a few records fill the log: it is begun anew several times.
  Program(const FaultyDisk& disk, Promised* promised, int wal_pages = 8) : promised_(promised) {
    options_.vfs = disk.vfs();
    options_.files = &holders_;
    options_.wal_pages = wal_pages;
  }

  // Opens, appends, compacts, ends, opens again, appends: false as soon as anything fails.
  bool Run() {
    int64_t next = 1;
    for (int life = 0; life < 2; ++life) {
      auto journal = Journal::Open(kPath, options_);
      if (!journal.ok()) return Fails(journal.status());
      for (const int bytes : {10, 10, 9000, 10, 20000, 10}) {
        if (!Append(**journal, {Record(next, static_cast<size_t>(bytes))})) return false;
        ++next;
      }
      if (!Append(**journal, {Record(next, 10), Record(next + 1, 5000)})) return false;
      next += 2;
      if (life == 0 && !Compact(**journal, &next)) return false;
    }
    return true;
  }

  // What is there now; the error of Open or Replay in promised.error.
  Times ReadBack() {
    Times times;
    auto journal = Journal::Open(kPath, options_);
    promised_->error = journal.status();
    if (!journal.ok()) return times;
    promised_->error = (*journal)->Replay([&](int64_t sequence, const pb::JournalRecord& record) {
      CHECK(sequence == record.now_ns());
      times.push_back(record.now_ns());
      return absl::OkStatus();
    });
    return times;
  }

 private:
  // Puts three records in the place of all. Their times are their numbers again.
  bool Compact(Journal& journal, int64_t* next) {
    const std::vector<pb::JournalRecord> records = {Record(*next, 10), Record(*next + 1, 9000),
                                                    Record(*next + 2, 10)};
    const Times times = {*next, *next + 1, *next + 2};
    const absl::Status status = journal.Replace(records);
    if (!status.ok()) {
      promised_->in_place = times;
      return Fails(status);
    }
    promised_->acknowledged = times;
    *next += 3;
    return true;
  }
  bool Append(Journal& journal, const std::vector<pb::JournalRecord>& records) {
    Times times;
    for (const pb::JournalRecord& record : records) times.push_back(record.now_ns());
    const absl::Status status = journal.Append(records);
    Times& into = status.ok() ? promised_->acknowledged : promised_->in_flight;
    into.insert(into.end(), times.begin(), times.end());
    if (!status.ok()) CHECK(journal.Append({Record(99, 10)}) == status);  // its last word
    return status.ok() || Fails(status);
  }
  bool Fails(const absl::Status& status) {
    promised_->error = status;
    return false;
  }

  Promised* const promised_;
  base::MemoryFileSystem holders_;
  JournalOptions options_;
};

void CheckIsOneLine(const absl::Status& error) {
  INFO(error);
  CHECK(absl::StartsWith(error.message(), absl::StrCat("journal ", kPath)));
  CHECK_FALSE(absl::StrContains(error.message(), '\n'));
}

// The records are those acknowledged, and behind them all of the ones in flight or none.
void CheckKept(const Promised& promised, const Times& kept) {
  Times with_flight = promised.acknowledged;
  with_flight.insert(with_flight.end(), promised.in_flight.begin(), promised.in_flight.end());
  const bool is_replaced = !promised.in_place.empty() && kept == promised.in_place;
  CHECK((kept == promised.acknowledged || kept == with_flight || is_replaced));
}

// Runs the program with `fault` at call n, for every n, and calls `check` after each.
// Returns how many calls the program makes.
template <typename Check>
int64_t AtEveryCall(Fault fault, const Check& check) {
  for (int64_t call = 1;; ++call) {
    CAPTURE(call);
    FaultyDisk disk;
    Promised promised;
    Program program(disk, &promised);
    disk.FailFrom(call, fault);
    const bool ended_well = program.Run();
    if (disk.calls() < call) {
      CHECK(ended_well);
      return call - 1;
    }
    check(disk, program, promised, ended_well);
  }
}

TEST_CASE("a power cut at any call loses nothing that was acknowledged, and halves nothing") {
  for (const uint64_t seed : {uint64_t{0}, FaultyDisk::kKeepAll, uint64_t{1}, uint64_t{2}}) {
    CAPTURE(seed);
    const auto check = [&](FaultyDisk& disk, Program& program, Promised& promised, bool) {
      const Promised before = promised;
      if (!before.error.ok()) CheckIsOneLine(before.error);
      disk.CutPower(seed == 0 || seed == FaultyDisk::kKeepAll
                        ? seed
                        : seed * 1000 + static_cast<uint64_t>(disk.calls()));
      const Times kept = program.ReadBack();
      INFO(promised.error);
      REQUIRE(promised.error.ok());
      CheckKept(before, kept);
    };
    CHECK(AtEveryCall(Fault::kPowerCut, check) > 100);
  }
}

TEST_CASE("a power cut during the recovery from a power cut changes nothing") {
  // Ended without closing: the log has records that the database has not.
  Promised promised;
  const auto cut_off = [&](FaultyDisk& disk) {
    promised = Promised();
    Program program(disk, &promised);
    disk.FailFrom(90, Fault::kPowerCut);
    REQUIRE_FALSE(program.Run());
    disk.CutPower(FaultyDisk::kKeepAll);
  };
  bool is_over = false;
  for (int64_t call = 1; !is_over; ++call) {
    CAPTURE(call);
    FaultyDisk disk;
    cut_off(disk);
    Promised again;
    Program program(disk, &again);
    const int64_t before = disk.calls();
    disk.FailFrom(before + call, Fault::kPowerCut);
    (void)program.ReadBack();
    is_over = disk.calls() < before + call;
    disk.CutPower(static_cast<uint64_t>(call));
    const Times kept = program.ReadBack();
    REQUIRE(again.error.ok());
    CheckKept(promised, kept);
  }
}

TEST_CASE("a disk that is full at any call is said in one line, and nothing is lost") {
  const auto check = [](FaultyDisk& disk, Program& program, Promised& promised, bool ended_well) {
    const Promised before = promised;
    if (!ended_well) {
      CheckIsOneLine(before.error);
      CHECK(absl::IsResourceExhausted(before.error));
      CHECK(absl::StrContains(before.error.message(), "full"));
    }
    disk.FailFrom(0, Fault::kDiskFull);  // somebody made room
    const Times kept = program.ReadBack();
    INFO(promised.error);
    REQUIRE(promised.error.ok());
    CheckKept(before, kept);
  };
  CHECK(AtEveryCall(Fault::kDiskFull, check) > 100);
}

TEST_CASE("an I/O error at any call is said in one line, and nothing is lost") {
  for (const bool power_cut : {false, true}) {
    CAPTURE(power_cut);
    const auto check = [&](FaultyDisk& disk, Program& program, Promised& promised, bool) {
      const Promised before = promised;
      if (!before.error.ok()) CheckIsOneLine(before.error);
      // What a failed sync has lost shows itself when the pages are dropped from memory.
      if (power_cut) disk.CutPower(0);
      const Times kept = program.ReadBack();
      INFO(promised.error);
      REQUIRE(promised.error.ok());
      CheckKept(before, kept);
    };
    CHECK(AtEveryCall(Fault::kIoError, check) > 100);
  }
}

TEST_CASE("an I/O error at any call of reading back is an error, never a shorter past") {
  for (int64_t call = 1;; ++call) {
    CAPTURE(call);
    FaultyDisk disk;
    Promised promised;
    Program program(disk, &promised);
    REQUIRE(program.Run());
    const int64_t before = disk.calls();
    disk.FailFrom(before + call, Fault::kIoError);
    const Times kept = program.ReadBack();
    if (disk.calls() < before + call) break;
    if (promised.error.ok()) {
      CHECK(kept == promised.acknowledged);
    } else {
      CheckIsOneLine(promised.error);
    }
  }
}

TEST_CASE("a log that was cut off at any byte gives whole appends, in order, up to the cut") {
  constexpr int kNeverFull = 10'000;  // all records are in the log, none in the database
  std::string database;
  std::string wal;
  Times acknowledged;
  for (int64_t call = 20; wal.size() < 40'000; ++call) {
    FaultyDisk disk;
    Promised promised;
    Program program(disk, &promised, kNeverFull);
    disk.FailFrom(call, Fault::kPowerCut);
    REQUIRE_FALSE(program.Run());
    disk.CutPower(FaultyDisk::kKeepAll);
    database = disk.Read(kPath);
    wal = disk.Read(absl::StrCat(kPath, "-wal"));
    acknowledged = promised.acknowledged;
  }
  size_t longest = 0;
  for (size_t size = 0; size <= wal.size(); size += 53) {
    CAPTURE(size);
    FaultyDisk disk;
    disk.Replace(kPath, database);
    disk.Replace(absl::StrCat(kPath, "-wal"), wal.substr(0, size));
    Promised again;
    Program program(disk, &again, kNeverFull);
    const Times kept = program.ReadBack();
    INFO(again.error);
    REQUIRE(again.error.ok());
    CHECK(kept.size() >= longest);  // a longer log never says less
    for (size_t i = 0; i < kept.size(); ++i) CHECK(kept[i] == static_cast<int64_t>(i) + 1);
    longest = kept.size();
  }
  CHECK(longest + 1 >= acknowledged.size());  // the last cut is up to 52 bytes before the end
}

}  // namespace
}  // namespace rm::journal
