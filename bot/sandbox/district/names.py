"""Names of the made-up families: from many cultures, with the apostrophes, accents and particles that break naive code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Culture:
    """The names of one culture. `share` is its weight among the families; `shared_name`: most couples have one family name."""

    share: int
    families: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    shared_name: bool = True


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


CULTURES = (
    Culture(
        26,
        _split("Johnson, Miller, Davis, Wilson, Anderson, Taylor, Moore, Jackson, Harris, Clark, Lewis, Walker, Hall, Young, Allen, "
               "King, Wright, Scott, Green, Baker, Adams, Nelson, Carter, Mitchell, Roberts, Turner, Phillips, Campbell"),
        _split("Jennifer, Amanda, Melissa, Nicole, Heather, Rachel, Lauren, Erin, Tiffany, Monica, Brandi, Latoya, Denise, Karen"),
        _split("Michael, Christopher, Brian, Kevin, Jason, Eric, Derek, Andre, Marcus, Terrence, Scott, Gregory, Keith, Paul"),
        _split("Emma, Olivia, Ava, Harper, Zoe, Nevaeh, Riley, Aaliyah, Grace, Madison, Hannah, Imani, Paige, Skylar"),
        _split("Liam, Noah, Mason, Elijah, Jayden, Caleb, Isaiah, Owen, Tyler, Malik, Hunter, Darius, Wyatt, Cole"),
    ),
    Culture(
        20,
        _split("García, Rodríguez, Martínez, Hernández, López, González, Pérez, Sánchez, Ramírez, Torres, Flores, Rivera, Gómez, "
               "Núñez, Ortiz, Castillo, Peña, Muñoz, De la Cruz"),
        _split("María, Guadalupe, Rosa, Ana, Verónica, Lucía, Adriana, Leticia, Marisol, Yolanda, Concepción, Inés"),
        _split("José, Luis, Carlos, Jorge, Miguel, Héctor, Raúl, Andrés, Ángel, Ramón, Julio, Martín"),
        _split("Sofía, Valentina, Camila, Ximena, Daniela, Lucía, Isabella, Renata, Paloma, Belén, Mía"),
        _split("Mateo, Santiago, Diego, Sebastián, Ángel, Joaquín, Iker, Emiliano, Adrián, Tomás, Nicolás"),
        shared_name=False,
    ),
    Culture(
        8,
        _split("O'Brien, O'Connor, O'Neill, Murphy, Kelly, Sullivan, McCarthy, Doyle, D'Arcy, Fitzgerald"),
        _split("Siobhán, Maeve, Kathleen, Bridget, Colleen, Niamh, Maureen"),
        _split("Sean, Patrick, Brendan, Declan, Kieran, Colm, Eoin"),
        _split("Fiona, Ciara, Erin, Saoirse, Nora, Róisín, Keira"),
        _split("Aidan, Finn, Conor, Rory, Liam, Cillian, Ronan"),
    ),
    Culture(
        8,
        _split("Nguyễn, Trần, Lê, Phạm, Huỳnh, Võ, Đặng, Bùi"),
        _split("Thị Lan, Hương, Ngọc, Thúy, Kim Anh, Phượng, Hồng"),
        _split("Văn Minh, Tuấn, Hùng, Quang, Đức, Thành, Sơn"),
        _split("Linh, Mai, Thảo, Vy, Trâm, Bảo Ngọc, My"),
        _split("Nam, Khoa, Bảo, Huy, Minh, Phúc, Long"),
        shared_name=False,
    ),
    Culture(
        5,
        _split("van der Berg, de Vries, van Dijk, ter Horst, van den Heuvel, Dijkstra"),
        _split("Annemiek, Sanne, Marijke, Femke, Lotte"),
        _split("Pieter, Joost, Willem, Bram, Daan"),
        _split("Eva, Lieke, Saskia, Roos, Noor"),
        _split("Thijs, Lars, Sem, Jasper, Koen"),
    ),
    Culture(
        7,
        _split("Nowak, Wójcik, Kowalczyk, Król, Mazur, Pająk, Gołąb, Wróbel"),
        _split("Agnieszka, Małgorzata, Katarzyna, Ewa, Joanna, Beata"),
        _split("Paweł, Tomasz, Krzysztof, Marek, Łukasz, Wojciech"),
        _split("Zuzanna, Maja, Oliwia, Hanna, Julia, Kinga"),
        _split("Jakub, Kacper, Filip, Szymon, Michał, Antoni"),
    ),
    Culture(
        6,
        _split("Yusuf, Hassan, Abdi, Warsame, Farah, Ali, Mohamed"),
        _split("Amina, Fadumo, Hodan, Ifrah, Sahra, Khadija"),
        _split("Abdirahman, Ahmed, Omar, Said, Ismail, Yasin"),
        _split("Ayan, Hamdi, Sumaya, Zamzam, Nasra, Idil"),
        _split("Bilal, Hamza, Zakariya, Khalid, Mustafa, Liban"),
        shared_name=False,
    ),
    Culture(
        5,
        _split("Haddad, Khoury, Al-Masri, Najjar, El-Sayed, Nasser"),
        _split("Layla, Rania, Samira, Hala, Dalia"),
        _split("Karim, Tariq, Sami, Nabil, Fadi"),
        _split("Yasmin, Noor, Salma, Jana, Lina"),
        _split("Adam, Zayd, Rayan, Elias, Yousef"),
    ),
    Culture(
        6,
        _split("Patel, Sharma, Reddy, Krishnan, Singh, Iyer, Gupta, Das"),
        _split("Priya, Kavita, Sunita, Deepa, Lakshmi, Neha"),
        _split("Rajesh, Sanjay, Anil, Vikram, Suresh, Harpreet"),
        _split("Anaya, Diya, Meera, Riya, Saanvi, Isha"),
        _split("Arjun, Rohan, Aarav, Dev, Kabir, Nikhil"),
    ),
    Culture(
        5,
        _split("Chen, Wang, Liu, Zhang, Lin, Wu, Huang"),
        _split("Mei-Ling, Xiaohong, Li Hua, Yan, Jing"),
        _split("Wei, Jianguo, Ming, Zhiqiang, Hao"),
        _split("Emily, Grace, Yu-Na, Ivy, Jia"),
        _split("Kevin, Andrew, Zi-Han, Lucas, Bo"),
        shared_name=False,
    ),
    Culture(
        5,
        _split("Vang, Xiong, Yang, Lor, Thao, Moua"),
        _split("Mai Yia, Pa Houa, Bao, Kia, See"),
        _split("Tou, Chue, Pao, Kong, Nhia"),
        _split("Gao Nou, Paj, Nkauj, Sheng, Mee"),
        _split("Tou Ger, Xeng, Meng, Fue, Pheng"),
        shared_name=False,
    ),
    Culture(
        5,
        _split("Okafor, Adeyemi, Nwosu, Balogun, Eze, Mensah"),
        _split("Ngozi, Folake, Chioma, Adaeze, Abena"),
        _split("Emeka, Tunde, Chidi, Kwame, Obinna"),
        _split("Amara, Zuri, Ifeoma, Temi, Efua"),
        _split("Kelechi, Tobi, Ikenna, Kofi, Dayo"),
    ),
    Culture(
        4,
        _split("Jean-Baptiste, Pierre-Louis, Desrosiers, Toussaint, L'Heureux"),
        _split("Marie-Ange, Nadège, Mirlande, Édith, Carline"),
        _split("Jean-Claude, Réginald, Wilner, Frantz, Émile"),
        _split("Noémie, Chloé, Anaïs, Gaëlle, Esther"),
        _split("Théo, Loïc, Jérémie, Samuel, Stéphane"),
    ),
    Culture(
        4,
        _split("Kovalenko, Shevchenko, Bondarenko, Melnyk, Petrenko"),
        _split("Oksana, Olena, Iryna, Nataliya, Svitlana"),
        _split("Andriy, Serhiy, Oleksandr, Mykola, Dmytro"),
        _split("Sofiya, Daryna, Anastasiya, Polina, Zlata"),
        _split("Maksym, Artem, Bohdan, Danylo, Nazar"),
    ),
    Culture(
        4,
        _split("dos Santos, da Silva, Araújo, Conceição, Gonçalves"),
        _split("Fernanda, Luciana, Patrícia, Débora, Sílvia"),
        _split("João, Rafael, Thiago, Fábio, Antônio"),
        _split("Beatriz, Larissa, Júlia, Letícia, Manuela"),
        _split("Pedro, Davi, Caio, Vinícius, Estêvão"),
    ),
    Culture(
        4,
        _split("Søndergaard, Lindström, Bjørnson, Sørensen, Åkesson"),
        _split("Astrid, Ingrid, Kirsten, Sólveig, Märta"),
        _split("Lars, Henrik, Björn, Anders, Sören"),
        _split("Freja, Elsa, Signe, Linnéa, Tuva"),
        _split("Oskar, Axel, Nils, Håkon, Emil"),
    ),
)  # fmt: skip
