"""Run by tests/python.rs: XMOD_CMD names the program, MODULEPATH a tree with a/1.0, a/2.0 and broken/1."""

import os
import unittest

import xmod


class Modules(unittest.TestCase):
    def setUp(self) -> None:
        self.before = dict(os.environ)

    def tearDown(self) -> None:
        os.environ.clear()
        os.environ.update(self.before)

    def test_load_changes_the_environment_and_unload_changes_it_back(self) -> None:
        xmod.load("a/1.0")
        self.assertEqual(xmod.loaded(), ["a/1.0"])
        self.assertEqual(os.environ["A_TEXT"], "one 'two' \"three\"\nfour $five é")
        self.assertTrue(xmod.is_loaded("a"))
        xmod.unload("a")
        self.assertEqual(xmod.loaded(), [])
        self.assertNotIn("A_TEXT", os.environ)

    def test_env_of_leaves_the_process_alone(self) -> None:
        env = xmod.env_of("a/2.0")
        self.assertEqual(env["LOADEDMODULES"], "a/2.0")
        self.assertEqual(dict(os.environ), self.before)

    def test_a_failure_raises_and_changes_nothing(self) -> None:
        for name in ("nosuch", "broken/1"):
            with self.assertRaises(xmod.ModuleError) as caught:
                xmod.load("a", name)
            self.assertIn(name.split("/")[0], str(caught.exception))
            self.assertEqual(dict(os.environ), self.before)

    def test_listings(self) -> None:
        self.assertEqual(xmod.avail("a/"), ["a/1.0", "a/2.0"])
        xmod.load("a/1.0")
        xmod.swap("a", "a/2.0")
        (module,) = xmod.list_loaded()
        self.assertEqual((module.name, module.version, module.full_name), ("a", "2.0", "a/2.0"))
        xmod.purge()
        self.assertEqual(xmod.list_loaded(), [])

    def test_module_paths(self) -> None:
        xmod.use("/nowhere")
        self.assertTrue(os.environ["MODULEPATH"].startswith("/nowhere:"))
        xmod.unuse("/nowhere")
        self.assertEqual(os.environ["MODULEPATH"], self.before["MODULEPATH"])


if __name__ == "__main__":
    unittest.main()
