"""Looks at the status page in Chromium: `check.py AXE FOLDER`, with lines `STATE URL` on its input.

Checks what the page promises in the states ill (with a thousand services), well and empty, and leaves
screenshots in the folder. AXE is the file axe.min.js of npm's package axe-core. Needs Debian's
packages chromium, chromium-driver and python3-selenium.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

AXE, FOLDER = Path(sys.argv[1]).read_text(), Path(sys.argv[2])
URLS = dict(line.split() for line in sys.stdin)
URL = URLS["ill"]
WIDE, NARROW, NARROWEST = (1280, 900), (390, 844), (320, 640)
# The places where the links of the tiles lead.
STATES = ["published", "waiting", "conflict", "refused", "skipped"]


def browser():
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options)


def fetched(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


def status(state):
    return json.loads(fetched(URLS[state] + ".json"))


def until_all_is_well():
    """Rancher has all names; metadata tells the program a moment later."""
    for _ in range(600):
        now = status("well")
        states = {service["state"] for service in now["services"]}
        if not now["problems"] and now["fqdns_waiting"] == 0 and "waiting" not in states:
            return
        time.sleep(0.1)
    sys.exit(f"not all is well: {now}")


def size(driver, width, height):
    """The window's size, as a phone's where it is narrow."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def colours(driver, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def picture(driver, name):
    driver.save_screenshot(str(FOLDER / f"{name}.png"))


def opened(driver, url):
    """The page, with its script at work."""
    driver.get("about:blank")
    driver.get(url)
    WebDriverWait(driver, 30).until(lambda d: d.find_element(By.ID, "tools").is_displayed())


def visible_rows(driver):
    script = """return [...document.querySelectorAll('#list tbody tr')]
        .filter(row => row.checkVisibility())
        .map(row => [...row.cells].map(cell => cell.textContent))"""
    return driver.execute_script(script)


def said(driver):
    return driver.find_element(By.ID, "shown").text


def of_state(driver, state):
    """The rows that are left after the tile was chosen."""
    driver.find_element(By.CSS_SELECTOR, f".tiles a[href='#{state}']").click()
    current = driver.find_elements(By.CSS_SELECTOR, "[aria-current]")
    assert [tile.get_attribute("hash") for tile in current] == [f"#{state}"], state
    return visible_rows(driver)


def filtered(driver, words, state="services"):
    """The rows that are left, waited for no longer than the script takes: it is synchronous."""
    field = driver.find_element(By.ID, "words")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.BACKSPACE, words)
    rows = of_state(driver, state)
    assert said(driver) == (f"{len(rows)} of 1494 shown" if rows else "No service matches."), said(driver)
    return rows


def is_as_promised(driver, services):
    """All services, hostile names as text, and nothing that was not on the page."""
    rows = visible_rows(driver)
    assert len(rows) == len(services) > 1_000, (len(rows), len(services))
    shown = {row[0] for row in rows}
    assert '<script>alert(1)</script>/"><img src=x onerror=alert(2)>' in shown
    assert "O'Neil & Sons/{}</td></table>" in shown
    assert "חנות/שרת-דואר-ראשי" in shown
    assert any(len(name) > 500 for name in shown)
    assert not any("\u202e" in name or "\u2066" in name for name in shown)
    assert any(name.startswith("\\u{202e}gnp.moc/\\u{2066}a") for name in shown)
    tags = "return [...document.all].map(e => e.tagName).filter(t => /IMG|SCRIPT|IFRAME/.test(t))"
    assert driver.execute_script(tags) == ["SCRIPT"]
    by_state = {state: [] for state in STATES}
    for service in services:
        state = service["state"].replace("quarantined", "refused")
        by_state[state].append(service)
    for state, expected in by_state.items():
        assert expected or state == "waiting", state
        assert len(filtered(driver, "", state)) == len(expected), state
    # Problems stand first, the worst before the others.
    assert [row[1] for row in rows[:4]] == ["conflict"] * 3 + ["refused"], rows[:5]
    for service, row in zip(by_state["conflict"], filtered(driver, "", "conflict")):
        assert row[2] == service["fqdn"] and row[4] == service["reason"], row
    assert "the zone has A 192.0.2.1, TTL 60" in by_state["conflict"][0]["reason"]
    links = "#list .conflict a, #list .refused a"
    assert driver.find_elements(By.CSS_SELECTOR, links) == [], "a name that isn't ours is no link"
    filtered(driver, "")


def says_the_verdict(driver):
    for state, title, icon, words in [
        ("ill", "5 problems – ", "b3261e", "5 things need attention. "),
        ("well", "All is well – ", "1a7234", "All is well. All 20 services that ask for names have them."),
        ("empty", "All is well – ", "1a7234", "All is well. No service asks for a name."),
    ]:
        opened(driver, URLS[state])
        assert driver.title.startswith(title), driver.title
        link = driver.find_element(By.CSS_SELECTOR, "link[rel=icon]").get_attribute("href")
        assert link.startswith("data:image/svg+xml,") and icon in link, link
        verdict = driver.find_element(By.CSS_SELECTOR, ".verdict")
        assert verdict.text.startswith(words), verdict.text
        items = verdict.find_elements(By.CSS_SELECTOR, "li")
        assert len(items) == len(status(state)["problems"]), state
    opened(driver, URL)
    verdict = driver.find_element(By.CSS_SELECTOR, ".verdict")
    assert "web-00001.shop-0000.production-eu.example.com A" in verdict.text
    held = status("ill")["deletion_guard"]["record_sets"]
    verdict.find_element(By.CSS_SELECTOR, "summary").click()
    for record_set in held:
        assert f"{record_set['name']} {record_set['type']}" in verdict.text, record_set
    assert len(held) == 20
    verdict.find_element(By.LINK_TEXT, "See these services").click()
    assert [row[1] for row in visible_rows(driver)] == ["conflict"] * 3
    open_ones = driver.find_elements(By.CSS_SELECTOR, ".chips [open]")
    assert [one.text.split("\n")[0] for one in open_ones] == ["Rancher’s API fails"]


def filters(driver):
    opened(driver, URL)
    found = filtered(driver, "everywhere")
    assert [row[0] for row in found] == ["shop/everywhere"], found
    more = driver.find_element(By.CSS_SELECTOR, "#list tr:not([hidden]) summary")
    assert more.text == "12 more" and len(found[0][3].split()) == 20 + 2, found
    more.click()
    picture(driver, "addresses")
    assert filtered(driver, "no such thing") == []
    picture(driver, "nothing")
    assert filtered(driver, "everywherepublished") == [], "a word is in one cell"
    assert len(filtered(driver, "SHOP-0000 web-00001", "conflict")) == 1, "words in any order"
    assert len(filtered(driver, "refuses", "refused")) == 1
    assert len(filtered(driver, "shop-0000", "conflict")) == 3
    picture(driver, "conflicts")
    filtered(driver, "shop-000", "published")
    driver.find_element(By.XPATH, "//th//button[.='Names']").send_keys(Keys.ENTER)
    driver.execute_script("scrollTo(0, 1500)")
    rows, place = visible_rows(driver), driver.execute_script("return scrollY")
    driver.execute_script("window.before = true; document.getElementById('refresh').click()")
    WebDriverWait(driver, 30).until(lambda d: not d.execute_script("return window.before"))
    WebDriverWait(driver, 30).until(lambda d: d.execute_script("return scrollY") == place)
    assert visible_rows(driver) == rows and len(rows) > 50, "a page loaded again shows the same"
    filtered(driver, "")
    assert driver.current_url == f"{URL}?sort=2ascending#services", driver.current_url


def sorts(driver):
    opened(driver, URL)
    for column, name in enumerate(["Service", "State", "Names", "Addresses", "Reason"]):
        head = driver.find_elements(By.CSS_SELECTOR, "#list thead th")[column]
        assert head.text.startswith(name), head.text
        for how, keys in [("ascending", Keys.ENTER), ("descending", Keys.SPACE)]:
            head.find_element(By.TAG_NAME, "button").send_keys(keys)
            sorted_by = driver.find_elements(By.CSS_SELECTOR, "[aria-sort]")
            assert [(h.text, h.get_attribute("aria-sort")) for h in sorted_by] == [(head.text, how)]
            in_order = """
                const order = new Intl.Collator('en', {numeric: true});
                const texts = arguments[0], sign = arguments[1] === 'ascending' ? 1 : -1;
                return texts.every((t, i) => !i || sign * order.compare(texts[i - 1], t) <= 0)"""
            texts = [row[column] for row in visible_rows(driver)]
            assert driver.execute_script(in_order, texts, how), (name, how)


def needs_no_pointer(driver):
    """Tab reaches everything, in order, and shows where it is; Enter does what a click does."""
    opened(driver, URL)
    reached = []
    for _ in range(40):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        here = driver.switch_to.active_element
        shown = "const s = getComputedStyle(arguments[0]); return s.outlineStyle + s.outlineWidth"
        assert driver.execute_script(shown, here) == "solid2px", here.get_attribute("outerHTML")
        reached.append(here.text.replace("\n", " ") or here.get_attribute("id"))
        if reached.count("3 conflict") == 1 and reached[-1] == "3 conflict":
            # A link leads on to where it points: the tiles come again.
            here.send_keys(Keys.ENTER)
            assert len(visible_rows(driver)) == 3
        if reached[-1] == "words":
            here.send_keys("web-00002")
            assert len(visible_rows(driver)) == 1
        if reached[-1] == "Reason":
            break
    expected = ["Refresh", "Services", "See what fails", "16 more", "Rancher’s API fails",
                "47 more changes", "1494 all", "3 conflict", "1494 all",
                "3 conflict", "words", "Service", "Reason"]
    assert [name for name in reached if name in expected] == expected, reached


def is_accessible(driver, where):
    """No rule of axe-core is broken, best practices included."""
    driver.execute_script(AXE)
    run = """const done = arguments[arguments.length - 1];
        axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations.map(v =>
            [v.id, v.help, v.nodes.length, v.nodes[0].html, v.nodes[0].failureSummary])),
            e => done(String(e)))"""
    violations = driver.execute_async_script(run)
    assert violations == [], f"{where}: {json.dumps(violations, indent=1)}"


def fits_a_thumb(driver, where):
    """Everything that can be touched is 44 px high, or 24 px and a part of a sentence (WCAG 2.5.8)."""
    small = """return [...document.querySelectorAll('a, button, summary, input')]
        .filter(e => e.checkVisibility()).map(e => [e.getBoundingClientRect(), e.outerHTML])
        .filter(([box]) => box.height < 43.5 || box.width < 43.5).map(pair => pair[1]).slice(0, 5)"""
    found = driver.execute_script(small)
    assert found == [], (where, found)


def looks_well(driver):
    driver.set_script_timeout(240)
    for state in URLS:
        for scheme, (width, height) in [
            ("light", WIDE),
            ("dark", WIDE),
            ("light", NARROW),
            ("dark", NARROW),
            ("light", NARROWEST),
        ]:
            colours(driver, scheme)
            size(driver, width, height)
            opened(driver, URLS[state])
            at = f"{state}-{scheme}-{width}"
            back = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
            brightness = sum(int(n) for n in back.strip("rgb()").split(","))
            assert (brightness < 384) == (scheme == "dark"), (scheme, back)
            widest = driver.execute_script("return document.documentElement.scrollWidth")
            assert widest <= width, f"{widest} px wide on a screen of {width}"
            if width < 600:
                fits_a_thumb(driver, at)
            picture(driver, f"{at}-top")
            for place in ["services", "facts"]:
                driver.execute_script(f"document.getElementById('{place}').scrollIntoView()")
                picture(driver, f"{at}-{place}")
            if state == "ill":
                can_be_heard(driver)
                # The rules take minutes at a thousand rows on a phone: the same rows are fewer.
                filtered(driver, "shop-000")
            is_accessible(driver, at)
    colours(driver, "light")
    size(driver, *WIDE)
    opened(driver, URL)
    is_accessible(driver, "a thousand services")


def can_be_heard(driver):
    """What a screen reader is told, also where the table doesn't look like one."""
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    heard = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    roles = [role for role, _ in heard]
    for role, count in [("table", 1), ("row", 1_000), ("rowheader", 1_000), ("main", 1)]:
        assert roles.count(role) >= count, (role, roles.count(role))
    heads = [name for role, name in heard if role == "columnheader"]
    assert heads == ["Service", "State", "Names", "Addresses", "Reason"], heads
    for named in [
        ("searchbox", "Filter"),
        ("button", "Names"),
        ("link", "3 conflict"),
        ("table", "Services"),
        ("navigation", "Services by state"),
    ]:
        assert named in heard, named
    headings = [name for role, name in heard if role == "heading"]
    for heading in ["Health", "Last changes to the zone", "Services", "Facts"]:
        assert heading in headings, (heading, headings)
    assert any(name.startswith("5 things need attention.") for name in headings), headings


def needs_no_script(driver, services):
    """The tiles filter by links and style alone."""
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    for state in ["", *STATES]:
        driver.get("about:blank")
        driver.get(f"{URL}#{state}" if state else URL)
        expected = [
            service
            for service in services
            if not state or service["state"].replace("quarantined", "refused") == state
        ]
        # What has a place in the layout is shown. (Selenium's own commands are scripts.)
        snapshot = driver.execute_cdp_cmd("DOMSnapshot.captureSnapshot", {"computedStyles": []})
        document, strings = snapshot["documents"][0], snapshot["strings"]
        names = [strings[index] for index in document["nodes"]["nodeName"]]
        assert names.count("TR") == len(services) + 1
        shown = [names[index] for index in document["layout"]["nodeIndex"]]
        assert shown.count("TR") == len(expected) + 1, state
        texts = [strings[index] for index in document["layout"]["text"] if index >= 0]
        words = "Every service is to be published." if state == "skipped" else f"No service is {state}."
        is_said = any(words in text for text in texts)
        assert is_said == (state != "" and not expected), "that there is none is said"
        picture(driver, f"no-script-{state}")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def kept_to_itself(driver):
    entries = driver.get_log("browser")
    assert entries == [], entries
    asked = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"].split("#")[0].split("?")[0])
    pages = {*URLS.values(), "about:blank"}
    assert all(url in pages or url.startswith("data:image/svg+xml,") for url in asked), asked


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    until_all_is_well()
    services = status("ill")["services"]
    driver = browser()
    try:
        size(driver, *WIDE)
        opened(driver, URL)
        timing = "return performance.getEntriesByType('navigation')[0].domComplete"
        print(f"{len(services)} services, {len(fetched(URL)) // 1000} kB, "
              f"there after {driver.execute_script(timing):.0f} ms")
        is_as_promised(driver, services)
        says_the_verdict(driver)
        filters(driver)
        sorts(driver)
        needs_no_pointer(driver)
        needs_no_script(driver, services)
        looks_well(driver)
        kept_to_itself(driver)
    finally:
        driver.quit()


main()
