#include "vsl-filter/lang/module.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "vsl-filter/lang/folder_loader.h"
#include "vsl-filter/lang/test_dialect.h"

namespace {

struct TextLoader : vsl::Loader {
  std::map<std::string, std::string, std::less<>> texts;
  int loads = 0;

  explicit TextLoader(std::map<std::string, std::string, std::less<>> all) : texts(std::move(all)) {}
  base::Result<vsl::LoadedText> load(std::string_view path, std::string_view) override {
    ++loads;
    const auto found = texts.find(path);
    if (found == texts.end()) return base::fail(base::Fault::Config, "there is no " + std::string(path));
    return vsl::LoadedText{found->first, found->second};
  }
};

struct Loaded {
  vsl::Modules modules;
  vsl::Diagnostics diagnostics;

  std::string order() const {
    std::string out;
    for (const auto& module : modules.all) out += (out.empty() ? "" : " ") + module.source->name();
    return out;
  }
  std::string errors() {
    std::string out = render(diagnostics, modules.sources);
    return out;
  }
};

Loaded load(std::map<std::string, std::string, std::less<>> texts) {
  TextLoader loader(std::move(texts));
  Loaded loaded;
  CHECK(vsl::load_modules("main", loader, vsl::test::kDialect, loaded.modules, loaded.diagnostics));
  return loaded;
}

// A folder that goes away.
struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/vsl-modules.XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path + "/" + name).parent_path());
    std::ofstream(path + "/" + name) << text;
  }
};

}  // namespace

TEST_CASE("vsl modules: each file once, what is imported before what imports it, the main script last") {
  auto loaded = load({{"main", "import \"a\" as a; import \"b\" as b; a::x"}, {"a", "import \"c\" as c; export const x = 1;"}, {"b", "import \"c\" as c;"}, {"c", "export const y = 2;"}});
  CHECK(loaded.errors().empty());
  CHECK(loaded.order() == "c a b main");
  const auto& imports = loaded.modules.main().tree->script.imports;
  REQUIRE(imports.size() == 2);
  CHECK(imports[0]->module == 1);
  CHECK(imports[1]->module == 2);
  CHECK(loaded.modules.all[0].tree->script.exports[0].name == "y");
}

TEST_CASE("vsl modules: imports inside of rules and functions are loaded too") {
  auto loaded = load({{"main", "fn f() { import \"a\" as a; a::x } #{ connect: [ rule \"r\" || { import \"b\" as b; b::y } ] }"}, {"a", ""}, {"b", ""}});
  CHECK(loaded.errors().empty());
  CHECK(loaded.order() == "a b main");
}

TEST_CASE("vsl modules: circles, missing files and errors in imported files are told at their place") {
  CHECK(load({{"main", "import \"main\" as m;"}}).errors() ==
        "main:1:8: error: files import each other in a circle: main -> main\n"
        "   1 | import \"main\" as m;\n"
        "     |        ^~~~~~\n"
        "     = help: put what both need into a third file\n"
        "1 error\n");
  CHECK(load({{"main", "import \"a\" as a;"}, {"a", "import \"b\" as b;"}, {"b", "\nimport \"a\" as a;"}}).errors().starts_with("b:2:8: error: files import each other in a circle: a -> b -> a\n"));
  CHECK(load({{"main", "import \"a\" as a;"}}).errors().starts_with("main:1:8: error: Module not found: a\n"));
  auto broken = load({{"main", "import \"a\" as a; let = 1;"}, {"a", "let x = ;"}});
  CHECK(broken.diagnostics.errors() == 2);
  CHECK_FALSE(broken.modules.all[0].is_resolved);
  vsl::Modules modules;
  vsl::Diagnostics diagnostics;
  TextLoader nothing({});
  CHECK_FALSE(vsl::load_modules("main", nothing, vsl::test::kDialect, modules, diagnostics));
}

TEST_CASE("vsl modules: long rows and many files are limited") {
  std::map<std::string, std::string, std::less<>> row;
  for (int i = 0; i < 150; ++i) row[i == 0 ? "main" : "m" + std::to_string(i)] = "import \"m" + std::to_string(i + 1) + "\" as m;";
  row["m150"] = "";
  CHECK(load(row).errors().find("more than 100 files import one another in a row") != std::string::npos);
  std::map<std::string, std::string, std::less<>> many;
  for (int i = 0; i < 1200; ++i) {
    many["main"] += "import \"m" + std::to_string(i) + "\" as m;\n";
    many["m" + std::to_string(i)] = "";
  }
  CHECK(load(many).errors().find("more than 1000 files") != std::string::npos);
}

TEST_CASE("vsl folder loader: beside the importing file first, then beside the main script, then in further folders") {
  Folder folder;
  Folder further;
  folder.write("main.vsl", "import \"sub/a\" as a; import \"far\" as f; import \"old\" as o; import \"objects.vsl\" as x;");
  folder.write("sub/a.vsl", "import \"near\" as n; import \"objects\" as o;");
  folder.write("sub/near.vsl", "");
  folder.write("near.vsl", "let x = ;");
  folder.write("objects.vsl", "");
  folder.write("old.rhai", "");
  further.write("far.vsl", "");
  vsl::FolderLoader loader(folder.path + "/main.vsl", {.folders = {further.path}});
  Loaded loaded;
  REQUIRE(vsl::load_modules("", loader, vsl::test::kDialect, loaded.modules, loaded.diagnostics));
  CHECK(loaded.errors().empty());
  const std::string here = folder.path + "/";
  CHECK(loaded.order() == here + "sub/near.vsl " + here + "objects.vsl " + here + "sub/a.vsl " + std::filesystem::canonical(further.path).string() + "/far.vsl " +
                              here + "old.rhai " + here + "main.vsl");
}

TEST_CASE("vsl folder loader: nothing outside of the folders of rules is read") {
  Folder outside;
  outside.write("secret.vsl", "export const x = 1;");
  outside.write("rules/main.vsl", "");
  outside.write("rules/inside.vsl", "");
  std::filesystem::create_symlink(outside.path + "/secret.vsl", outside.path + "/rules/link.vsl");
  std::filesystem::create_directory_symlink(outside.path, outside.path + "/rules/up");
  std::filesystem::create_symlink(outside.path + "/rules/inside.vsl", outside.path + "/rules/alias.vsl");
  REQUIRE(::mkfifo((outside.path + "/rules/pipe.vsl").c_str(), 0600) == 0);
  std::filesystem::create_directory(outside.path + "/rules/folder.vsl");
  vsl::FolderLoader loader(outside.path + "/rules/main.vsl");
  const auto main = loader.load("", "");
  REQUIRE(main);
  const auto told = [&](std::string_view path) {
    const auto loaded = loader.load(path, main->name);
    return loaded ? loaded->name : "ERROR " + loaded.error().cause;
  };
  for (const std::string path : {"../secret", "./../secret", "link", "up/secret", "up/rules/../secret"}) {
    CAPTURE(path);
    CHECK(told(path).find("is outside of the folder of the rules") != std::string::npos);
  }
  CHECK(told(outside.path + "/secret").find("is outside of the folder of the rules") != std::string::npos);
  CHECK(told("/etc/passwd").starts_with("ERROR there is no /etc/passwd.vsl"));
  CHECK(told("../../../../../../etc/passwd").starts_with("ERROR there is no"));
  CHECK(told(std::string_view("in\0side", 7)) == "ERROR the path of the import holds a NUL");
  CHECK(told("") == "ERROR the path of the import is empty");
  CHECK(told("pipe").find("is not a regular file") != std::string::npos);
  CHECK(told("folder").find("is not a regular file") != std::string::npos);
  CHECK(told(std::string(10000, 'a')).starts_with("ERROR there is no"));
  // A link that stays inside is the file that it leads to.
  CHECK(told("alias") == told("inside"));
  CHECK(told("up/rules/inside") == told("inside"));
  CHECK_FALSE(vsl::FolderLoader(outside.path + "/nothing.vsl").load("", ""));
}

TEST_CASE("vsl folder loader: files beyond the limit are refused") {
  Folder folder;
  folder.write("main.vsl", std::string(100, ' '));
  CHECK(vsl::FolderLoader(folder.path + "/main.vsl", {.folders = {}, .most_octets = 100}).load("", ""));
  CHECK_FALSE(vsl::FolderLoader(folder.path + "/main.vsl", {.folders = {}, .most_octets = 99}).load("", ""));
}
