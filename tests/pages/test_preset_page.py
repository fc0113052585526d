"""The form of presets in a browser."""

from playwright.sync_api import expect

from tests.live_server import DEMO


def test_the_grey_values_follow_the_chosen_model(register, server, open_page):
    for name, temperature in (("grey-first", "0.11"), ("grey-second", "0.22")):
        register(name, DEMO)
        found = f"GenerationDefaults.objects.filter(model__name={name!r})"
        code = f"from registry.models import *; {found}.update(temperature={temperature}, system_prompt='I am {name}.')"
        assert server.manage("shell", "-v0", "-c", code).returncode == 0
    page = open_page().open("/admin/registry/preset/add/")
    expect(page.locator("#id_temperature")).to_have_attribute("placeholder", "")
    for name, temperature in (("grey-first", "0.11"), ("grey-second", "0.22")):
        page.locator(".field-model .select2-selection").click()
        page.locator(".select2-search__field").fill(name)
        page.locator(".select2-results__option", has_text=name).click()
        expect(page.locator("#id_temperature")).to_have_attribute("placeholder", temperature)
        expect(page.locator("#id_system_prompt")).to_have_attribute("placeholder", f"I am {name}.")
